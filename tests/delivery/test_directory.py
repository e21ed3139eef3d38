"""The live roster, on both engines: what one node changes, another notices."""

import asyncio
import time
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from databases import rows
from people import ANNA
from senders import Scripted, owe
from statekeeper.core.errors import BodyRefused, EndpointChanged, NameTaken, NotFound, NotYetFree, Unavailable
from statekeeper.core.health import DEFAULT_POLICY, GONE
from statekeeper.core.retry import Attempt, Outcome
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.delivery.administration import Administration
from statekeeper.delivery.catalogue import MOST_SECRETS, Catalogue
from statekeeper.delivery.directory import Directory, Member
from statekeeper.metrics import UNOPENED_ENDPOINTS
from statekeeper.settings import check_endpoint
from statekeeper.store import deletion, health
from statekeeper.store.queries.reader import Reader
from statekeeper.trust.sealing import Sealer, new_key

KEY = new_key()
URL = "https://crm.example/"
NOTICED = deletion.NOTICED.total_seconds()
BOOKS = Member(Subscriber("books"), "http", Scripted())


class Node:
    """One process beside others on the same store; `connected` are the endpoints that it made senders for."""

    def __init__(self, database, *fixed, keys=(KEY,)):
        self.database, self.connected, self.rosters = database, [], 0
        self.read = Reader(database.reader).read
        self.directory = Directory(fixed, Sealer(keys), self.connect, self.note)
        catalogue = Catalogue(Sealer(keys), check_endpoint, frozenset(each.name for each in fixed))
        self.acts = Administration(self.execute, self.read, catalogue, self.directory)
        self.directory.burial.rest, self.rests, self.lives = self.rest, [], None

    def connect(self, endpoint):
        self.connected.append(endpoint)
        return Scripted()

    def note(self):
        self.rosters += 1

    async def rest(self, seconds):
        self.rests.append(seconds)

    async def execute(self, job):
        """Do a job, or, with no more `lives`, die before it."""
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                raise asyncio.CancelledError
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def look(self):
        return await self.directory.look(self.read, self.execute)

    async def delete_and_die(self, acts):
        """Delete, and be killed after so many transactions."""
        self.lives = acts
        with pytest.raises(asyncio.CancelledError):
            await self.acts.delete("crm", ANNA)

    @property
    def names(self):
        return [each.name for each in self.directory.subscribers]


@pytest.fixture
def node(database):
    return Node(database, BOOKS)


@pytest.fixture
def other(database):
    return Node(database, BOOKS)


async def create(node, name="crm", url=URL, **options):
    return await node.acts.create({"name": name, "url": url, **options}, ANNA)


async def statuses(database):
    return [status for (status,) in await rows(database, "SELECT status FROM callbacks ORDER BY status")]


async def test_what_a_node_makes_is_in_its_roster_before_it_is_answered(node):
    senders = node.directory.senders
    await create(node, transitions="all", notices=["callback.dead"])
    assert node.names == ["books", "crm"]
    assert list(senders) == ["books", "crm"]
    (endpoint,) = node.connected
    assert (endpoint.url, endpoint.trusted, endpoint.scope) == (URL, False, Scope.ALL)
    assert endpoint.notices == {"callback.dead"}
    await node.acts.delete("crm", ANNA)
    assert (node.names, list(senders)) == (["books"], ["books"])


async def test_what_another_node_does_is_noticed_by_the_next_look(node, other, clock):
    await create(node)
    assert other.names == ["books"]
    await other.look()
    assert other.names == ["books", "crm"]
    clock.advance(1)
    await node.acts.change("crm", {"url": "https://new.example/"}, ANNA)
    await other.look()
    assert [endpoint.url for endpoint in other.connected] == [URL, "https://new.example/"]
    await node.acts.delete("crm", ANNA)
    await other.look()
    assert other.names == ["books"]


async def test_a_look_that_finds_nothing_new_leaves_the_roster_as_it_is(node):
    await create(node)
    before = node.rosters
    await node.look()
    assert node.rosters == before


async def test_an_endpoint_that_did_not_change_keeps_its_sender(node):
    await create(node)
    sender = node.directory.senders["crm"]
    await create(node, "other")
    assert node.directory.senders["crm"] is sender
    await node.acts.change("crm", {"rate": 5}, ANNA)
    assert node.directory.senders["crm"] is not sender


async def test_a_change_of_what_somebody_else_has_changed_since_is_refused(node, other, database, clock):
    seen = (await create(node)).updated_at
    await other.look()
    clock.advance(1)
    await other.acts.change("crm", {"states": ["completed"]}, ANNA, seen=seen)
    with pytest.raises(EndpointChanged):
        await node.acts.change("crm", {"rate": 5}, ANNA, seen=seen)
    view = await node.acts.change("crm", {"rate": 5}, ANNA, seen=(await node.acts.show("crm")).updated_at)
    assert (view.states, view.rate) == (["completed"], 5)
    assert len(await rows(database, "SELECT 1 FROM audit_entries WHERE act = 'endpoint.change'")) == 2


async def test_a_change_that_changes_nothing_leaves_the_time_of_the_last_one(node, other, clock):
    made = await create(node, states=["error", "completed"])
    await other.look()
    clock.advance(1)
    view = await node.acts.change("crm", {"states": ["completed", "error"], "rate": None}, ANNA)
    assert view.updated_at == made.updated_at
    rosters = other.rosters
    await other.look()
    assert other.rosters == rosters


async def test_what_is_deleted_is_deleted_for_all(node, other):
    await create(node)
    await other.look()
    await node.acts.delete("crm", ANNA)
    for act in (
        node.acts.delete("crm", ANNA),
        other.acts.delete("crm", ANNA),
        node.acts.show("crm"),
        node.acts.ping("crm", ANNA),
    ):
        with pytest.raises(NotFound):
            await act
    assert [each.name for each in (await node.acts.overview()).items] == ["books"]
    assert await node.acts.reseal(ANNA) == (0, [])


async def test_what_a_killed_deletion_has_left_is_buried_after_a_restart(node, database, clock, monkeypatch):
    monkeypatch.setattr(deletion, "PORTION", 1)
    await create(node)
    await node.execute(partial(owe, count=3))
    await node.delete_and_die(2)
    assert await statuses(database) == ["dead", "pending", "pending"]
    late = Node(database, BOOKS)
    await late.directory.refresh(late.read)
    assert late.names == ["books"]
    clock.advance(NOTICED)
    with capture_logs() as logs:
        while await late.look():
            pass
    assert {log["event"] for log in logs} == {"endpoint_gone"}
    await create(late, url="https://other.example/")
    assert await statuses(database) == ["dead"] * 3


async def test_what_a_killed_deletion_has_left_is_not_for_one_that_is_made_before_any_look(
    node, other, database, clock, monkeypatch
):
    monkeypatch.setattr(deletion, "PORTION", 1)
    await create(node)
    await node.execute(partial(owe, count=3))
    await node.delete_and_die(1)
    with pytest.raises(NotYetFree):
        await create(other)
    assert await statuses(database) == ["pending"] * 3
    clock.advance(NOTICED)
    await create(other, url="https://other.example/")
    assert await statuses(database) == ["dead"] * 3
    await other.look()
    await other.execute(partial(owe, seed=1))
    await other.look()
    assert await statuses(database) == ["dead"] * 3 + ["pending"]


async def test_what_a_node_that_has_not_noticed_promises_is_not_for_the_next_of_the_name(node, other, database, clock):
    await create(node)
    await other.look()
    await node.acts.delete("crm", ANNA)
    assert other.names == ["books", "crm"]
    with pytest.raises(NotYetFree, match="try again in some seconds"):
        await create(node, url="https://other.example/")
    await other.execute(owe)
    clock.advance(NOTICED)
    await create(node, url="https://other.example/")
    await other.look()
    assert other.names == ["books", "crm"]
    assert await statuses(database) == ["dead"]


async def test_a_deletion_is_left_to_whoever_deletes_at_first(node, other, database, clock):
    await create(node)
    await node.execute(owe)
    await node.delete_and_die(1)
    await other.look()
    assert await statuses(database) == ["pending"]
    clock.advance(NOTICED)
    await other.look()
    assert await statuses(database) == ["dead"]


async def test_what_a_deleted_one_was_owed_is_buried_in_portions_with_rests_to_the_last(node, database, monkeypatch):
    monkeypatch.setattr(deletion, "PORTION", 1)
    await create(node)
    await node.execute(partial(owe, count=3))
    began = time.perf_counter()
    assert await node.acts.delete("crm", ANNA) == 3
    assert await statuses(database) == ["dead"] * 3
    assert len(node.rests) == 4
    assert 0 < sum(node.rests) < time.perf_counter() - began


async def test_who_bears_the_name_in_the_settings_is_sent_nothing_before_all_of_it_is_dead(node, database, clock):
    await create(node)
    await node.execute(owe)
    await node.delete_and_die(1)
    crm = Member(Subscriber("crm"), "http", Scripted())
    late = Node(database, crm)
    await late.directory.refresh(late.read)
    assert (late.names, late.directory.senders) == (["crm"], {})
    clock.advance(NOTICED)
    await late.look()
    assert await statuses(database) == ["dead"]
    await late.execute(partial(owe, seed=1))
    await late.look()
    assert late.directory.senders == {"crm": crm.sender}
    assert await statuses(database) == ["dead", "pending"]


async def test_one_that_was_disabled_and_deleted_begins_anew(node, clock):
    await create(node)
    assert (await node.acts.disable("crm", "moving", ANNA)).health.state == "disabled"
    await node.acts.delete("crm", ANNA)
    clock.advance(NOTICED)
    assert (await create(node)).health.state == "closed"


async def test_what_was_claimed_for_a_deleted_one_says_nothing_of_the_next_of_its_name(node, clock):
    await create(node)
    late = Attempt(Outcome.GAVE_UP, clock(), 7, GONE)
    await node.acts.delete("crm", ANNA)
    clock.advance(NOTICED)
    await create(node)
    await node.execute(lambda c, now: health.observe(c, "crm", late, now, DEFAULT_POLICY))
    assert (await node.acts.show("crm")).health.state == "closed"


async def test_one_that_cannot_be_opened_is_owed_and_not_sent_anything(node, database):
    await create(node)
    late = Node(database, BOOKS, keys=(new_key(),))
    with capture_logs() as logs:
        await late.directory.refresh(late.read)
    assert (late.names, list(late.directory.senders)) == (["books", "crm"], ["books"])
    assert UNOPENED_ENDPOINTS._value.get() == 1
    assert [(log["log_level"], log["event"]) for log in logs] == [("error", "endpoint_not_opened")]


async def test_a_name_that_the_settings_come_to_bear_hides_the_one_in_the_store(node, database):
    await create(node)
    crm = Member(Subscriber("crm"), "http", Scripted())
    late = Node(database, crm)
    with capture_logs() as logs:
        await late.directory.refresh(late.read)
    assert late.directory.senders == {"crm": crm.sender}
    assert [log["event"] for log in logs] == ["endpoint_shadowed"]
    with pytest.raises(NameTaken):
        await create(late)


async def test_functions_are_told_but_not_administered(database):
    node = Node(database, Member(Subscriber("mod:f"), "function", Scripted()))
    assert list(node.directory.senders) == ["mod:f"]
    assert (await node.acts.overview()).items == []


async def test_old_secrets_fall_away_by_themselves_and_are_not_kept(node, clock):
    first = (await create(node)).secret
    second = (await node.acts.rotate("crm", None, timedelta(hours=1), ANNA)).secret
    endpoint = node.connected[-1]
    assert endpoint.secrets_at(clock()) == (second, first)
    assert endpoint.secrets_at(clock() + timedelta(hours=1)) == (second,)
    clock.advance(3600)
    await node.acts.change("crm", {"rate": 1}, ANNA)
    assert (node.connected[-1].secrets, node.connected[-1].retiring) == ((second,), ())


async def test_a_shorter_overlap_ends_what_a_longer_one_had_let_sign(node, clock):
    first = (await create(node)).secret
    await node.acts.rotate("crm", None, timedelta(days=1), ANNA)
    third = (await node.acts.rotate("crm", None, timedelta(), ANNA)).secret
    assert node.connected[-1].secrets_at(clock()) == (third,)
    assert first not in node.connected[-1].secrets_at(clock())


async def test_a_longer_overlap_lets_no_secret_sign_for_longer_than_a_shorter_one_had(node, clock):
    await create(node)
    second = (await node.acts.rotate("crm", None, timedelta(hours=1), ANNA)).secret
    third = (await node.acts.rotate("crm", None, timedelta(days=1), ANNA)).secret
    assert node.connected[-1].secrets_at(clock() + timedelta(hours=1)) == (third, second)


async def test_no_more_secrets_sign_than_a_receiver_can_be_asked_to_read(node, clock):
    await create(node)
    for _ in range(MOST_SECRETS - 1):
        await node.acts.rotate("crm", None, timedelta(days=1), ANNA)
    with pytest.raises(BodyRefused, match="10 secrets sign already"):
        await node.acts.rotate("crm", None, timedelta(days=1), ANNA)
    assert len(node.connected[-1].secrets_at(clock())) == MOST_SECRETS


async def test_a_watch_goes_on_at_once_while_there_is_more_to_bury(node, monkeypatch):
    left, looks = [True, True, False], []

    async def look(_read, _execute):
        looks.append(1)
        if not left:
            raise asyncio.CancelledError
        return left.pop(0)

    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(node.directory, "look", look)
    monkeypatch.setattr("statekeeper.delivery.directory.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await node.directory.watch(node.read, node.execute)
    assert waits == [1, 0, 0, 1]


async def test_a_watch_outlives_a_store_that_is_away(node, monkeypatch):
    looked = asyncio.Event()

    async def look(_read, _execute):
        if looked.is_set():
            raise asyncio.CancelledError
        looked.set()
        raise Unavailable("away", reason="store")

    monkeypatch.setattr(node.directory, "look", look)
    monkeypatch.setattr("statekeeper.delivery.directory.POLL_SECONDS", 0)
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await node.directory.watch(node.read, node.execute)
    assert [log["event"] for log in logs] == ["endpoints_not_read"]
