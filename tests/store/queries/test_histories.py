"""Histories from rows that the write side wrote, on both engines: whole, and of one moment."""

from datetime import timedelta

import msgspec
from sqlalchemy.util import await_

from statekeeper.core.instants import parse_rfc3339
from statekeeper.core.retry import Attempt, Delivered, Outcome, RetryAt
from statekeeper.store import outbox, projections
from stores import SESSION, arrival

TICK = timedelta(milliseconds=1)


async def test_an_unknown_session_has_no_history(store):
    assert await store.queries.histories.find(SESSION) is None


async def test_a_history_has_every_transition_every_arrival_and_every_callback(store, clock):
    sent = clock.now - timedelta(seconds=5)
    await store.take(arrival(1, "created", deliver_id="1", sent_at=sent, session_status="RUNNING"))
    clock.advance(1)
    await store.take(arrival(1, "created", deliver_id="2"), arrival(1, "created", deliver_id="2"))
    clock.advance(1)
    await store.take(arrival(1, "created", session_status="RUNNING", deliver_id="3"), arrival(2, "error"))
    history = msgspec.to_builtins(await store.queries.histories.find(SESSION))
    assert history["sessionId"] == str(SESSION)
    assert [step | {"at": ""} for step in history["transitions"]] == [
        {
            "ordinal": ordinal,
            "source": source,
            "target": target,
            "trigger": f"session.{target}",
            "cause": "event",
            "eventId": f"e{ordinal}-{target}",
            "sequence": ordinal,
            "at": "",
            "reason": None,
        }
        for ordinal, source, target in ((1, "pending", "created"), (2, "created", "error"))
    ]
    first_at, last_at = (parse_rfc3339(step["at"]) for step in history["transitions"])
    assert last_at == clock.now
    assert timedelta(0) <= first_at - (clock.now - timedelta(seconds=2)) <= TICK
    first, conflict, last = history["events"]
    assert first == {
        "eventId": "e1-created",
        "eventName": "session.created",
        "sequence": 1,
        "disposition": "applied",
        "sessionStatus": "RUNNING",
        "sentAt": "2026-01-08T08:35:32.581Z",
        "receivedAt": "2026-01-08T08:35:37.581Z",
        "deliveries": [
            {"deliverId": "1", "receivedAt": "2026-01-08T08:35:37.581Z"},
            {"deliverId": "3", "receivedAt": "2026-01-08T08:35:39.581Z"},
        ],
    }
    assert conflict["disposition"] == "conflict"
    assert [delivery["deliverId"] for delivery in conflict["deliveries"]] == ["2", "2"]
    assert (last["eventId"], last["sentAt"], last["disposition"]) == ("e2-error", None, "applied")
    assert [callback["subscriber"] for callback in history["callbacks"]] == ["crm", "mail"]


async def test_a_callback_shows_its_attempts_and_when_the_next_is_due(store, clock):
    await store.end(SESSION, "error")
    failed = Attempt(Outcome.FAILED, clock.now, 12, "500", response="go away")
    await store.settle("crm", failed, RetryAt(clock.now + timedelta(seconds=5)))
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7, receipt="case 4711"), Delivered())
    crm, mail = msgspec.to_builtins(await store.queries.histories.find(SESSION))["callbacks"]
    assert crm == {
        "callbackId": crm["callbackId"],
        "subscriber": "crm",
        "state": "error",
        "status": "pending",
        "receipt": None,
        "attempts": [
            {
                "number": 1,
                "at": "2026-01-08T08:35:38.581Z",
                "durationMs": 12,
                "outcome": "failed",
                "detail": "500",
                "response": "go away",
            }
        ],
        "nextAttemptAt": "2026-01-08T08:35:43.581Z",
    }
    assert (mail["status"], mail["nextAttemptAt"]) == ("delivered", None)
    assert mail["attempts"][0]["outcome"] == "delivered"
    assert (mail["receipt"], mail["attempts"][0]["response"]) == ("case 4711", None)


async def test_an_attempt_in_flight_is_not_shown(store):
    await store.end(SESSION)
    await store.run(lambda c, now: outbox.claim(c, "crm", 1, now, timedelta(seconds=50)))
    (callback,) = (await store.queries.histories.find(SESSION)).callbacks
    assert (callback.status, callback.attempts) == ("pending", [])


async def test_a_history_is_one_moment_even_while_the_session_ends(store, monkeypatch):
    """Another node commits the end when the events have been read, and the callbacks have not."""
    await store.take(arrival(1, "created"))
    view = projections.transition_view

    def commit_meanwhile(row):
        await_(store.end(SESSION))
        return view(row)

    monkeypatch.setattr(projections, "transition_view", commit_meanwhile)
    before = await store.queries.histories.find(SESSION)
    monkeypatch.undo()
    after = await store.queries.histories.find(SESSION)
    assert (len(before.transitions), len(before.events), len(before.callbacks)) == (1, 1, 0)
    assert (len(after.transitions), len(after.events), len(after.callbacks)) == (2, 2, 1)
