import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook

import forge
from apps import asking, settings_in
from receiver import Answer, Receiver, receiving
from statekeeper.app import Service
from statekeeper.trust.sealing import new_key

pytestmark = pytest.mark.usefixtures("store")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
URL = "https://crm.example/hook?token=hidden"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    key = new_key()
    monkeypatch.setenv("STATEKEEPER_ENCRYPTION_KEYS", key)
    monkeypatch.setenv("STATEKEEPER_DELIVERY__ALLOWED_NETWORKS", "127.0.0.0/8")
    return key


def test_a_new_key_is_one(run):
    Fernet(run("endpoints", "new-key").stdout.strip())


def test_an_endpoint_is_made_listed_and_shown(run):
    result = run("endpoints", "create", "books", URL, "--state", "completed", "--rate", 5)
    assert result.exit_code == 0, result.output
    said, secret = result.stdout.splitlines()
    assert said == "books is told at https://crm.example/hook?token=***. Its secret, which is not shown again:"
    assert secret.startswith("whsec_")
    (item,) = run.json("endpoints", "list")["items"]
    assert item == run.json("endpoints", "show", "books") == run.json("endpoints")["items"][0]
    assert (item["name"], item["states"], item["rate"], item["origin"]) == ("books", ["completed"], 5, "api")
    table = run("endpoints").stdout
    assert "books" in table
    assert "closed" in table
    for text in (table, run("endpoints", "show", "books").stdout, run("config").stdout):
        assert secret not in text
        assert "hidden" not in text


def test_a_secret_is_read_from_a_file(run, tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    made = run.json("endpoints", "create", "books", URL, "--secret-file", tmp_path / "secret")
    assert made["secret"] == SECRET


def test_a_change_leaves_the_rest(run):
    run("endpoints", "create", "books", URL, "--state", "completed", "--concurrency", 2)
    changed = run.json("endpoints", "change", "books", "--rate", 5, "--reset", "states")
    assert (changed["rate"], changed["states"], changed["concurrency"]) == (5, [], 2)
    assert run("endpoints", "change", "books", "--reset", "colour").exit_code == 2


def test_the_trail_has_what_a_change_has_changed_as_it_was_and_as_it_is(run):
    run("endpoints", "create", "books", URL, "--state", "completed")
    run("endpoints", "change", "books", "--rate", 5, "--state", "completed")
    run("endpoints", "enable", "books")
    change, create = run.json("audit")["items"]
    assert (change["act"], change["effect"]) == ("endpoint.change", {"rate": {"from": None, "to": 5.0}})
    assert create["act"] == "endpoint.create"


def test_a_rotation_shows_the_new_secret_once(run):
    first = run.json("endpoints", "create", "books", URL)["secret"]
    rotated = run("endpoints", "rotate", "books", "--overlap", 60)
    assert rotated.stdout.splitlines()[1] not in {first, ""}
    new, old = run.json("endpoints", "show", "books")["secrets"]
    told = next(line for line in run("endpoints", "show", "books").stdout.splitlines() if line.startswith("secrets"))
    assert (new["expiresAt"], told.split(maxsplit=1)[1]) == (None, f"one for good, one until {old['expiresAt']}")


def test_what_is_not_narrowed_down_is_all(run):
    run("endpoints", "create", "books", URL, "--state", "completed")
    lines = run("endpoints", "show", "books").stdout.splitlines()
    rows = dict(line.split(maxsplit=1) for line in lines if " " in line.strip())
    assert [rows[name].strip() for name in ("states", "environments", "flows")] == ["completed", "all", "all"]


def test_an_endpoint_is_deleted_after_a_question(run):
    run("endpoints", "create", "books", URL)
    assert run("endpoints", "delete", "books").exit_code == 1
    assert len(run.json("endpoints")["items"]) == 1
    result = run("endpoints", "delete", "books", "--yes")
    assert (result.exit_code, result.stdout) == (0, "books is deleted; 0 of its callbacks are dead for it.\n")
    assert run.json("endpoints")["items"] == []


def test_a_name_is_free_again_by_the_command_line_alone(run, tmp_path):
    run("endpoints", "create", "books", URL)
    run("endpoints", "delete", "books", "--yes")
    result = run("endpoints", "create", "books", URL)
    assert (result.exit_code, "try again in some seconds" in result.stderr) == (1, True)
    with closing(sqlite3.connect(tmp_path / "statekeeper.db")) as store, store:
        store.execute("UPDATE endpoints SET deleted_at = '2026-01-08 08:35:37.581000'")
    assert run("endpoints", "create", "books", URL).exit_code == 0


def test_an_endpoint_is_disabled_and_enabled(run):
    run("endpoints", "create", "books", URL)
    disabled = run.json("endpoints", "disable", "books", "--reason", "moving")["health"]
    assert (disabled["state"], disabled["disabledReason"]) == ("disabled", "moving")
    assert "moving" in run("endpoints", "show", "books").stdout
    assert run.json("endpoints", "enable", "books")["health"]["state"] == "closed"


def test_a_ping_says_what_came_of_it(run):
    with receiving(Answer(200), Answer(503)) as receiver:
        run("endpoints", "create", "books", receiver.url)
        good, bad = run("endpoints", "ping", "books"), run("endpoints", "ping", "books")
        assert receiver.requests[0].json()["type"] == "ping"
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert good.stdout.startswith("books: delivered in ")
    assert bad.stdout.endswith("HTTP 503\n")
    assert run.json("endpoints", "show", "books")["health"]["failures"] == 0


def test_those_of_the_settings_are_shown_and_not_changed(run, monkeypatch):
    endpoint = {"name": "crm", "url": "https://crm.example", "secrets": [SECRET]}
    monkeypatch.setenv("STATEKEEPER_ENDPOINTS", json.dumps([endpoint]))
    shown = run.json("endpoints", "show", "crm")
    assert (shown["origin"], shown["callbacks"]) == ("settings", {"pending": 0, "dead": 1})
    for act in (["change", "crm", "--rate", "1"], ["delete", "crm", "--yes"], ["rotate", "crm"]):
        result = run("endpoints", *act)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "crm stands in the settings" in result.stderr
    assert run.json("endpoints", "disable", "crm")["health"]["state"] == "disabled"


def test_a_functions_name_is_taken(run, tmp_path, monkeypatch):
    (tmp_path / "named.py").write_text(
        "from statekeeper import on_terminal\n@on_terminal(name='books')\ndef f(e): ...\n"
    )
    monkeypatch.setenv("STATEKEEPER_CALLBACKS", "named.py")
    result = run("endpoints", "create", "books", URL)
    assert (result.exit_code, "The name books is taken" in result.stderr) == (1, True)


def test_what_does_not_fit_is_said_a_line_a_fault(run):
    result = run("endpoints", "create", "books", "http://crm.example", "--state", "created")
    assert result.exit_code == 1
    assert "url: takes an https:// URL" in result.stderr
    assert "states: the chart's final states are" in result.stderr


def test_without_a_key_the_way_to_one_is_said(run, monkeypatch):
    monkeypatch.delenv("STATEKEEPER_ENCRYPTION_KEYS")
    result = run("endpoints", "create", "books", URL)
    assert (result.exit_code, "statekeeper endpoints new-key" in result.stderr) == (1, True)


def test_after_a_reseal_the_new_key_is_enough(run, monkeypatch, key):
    run("endpoints", "create", "books", URL)
    new = new_key()
    monkeypatch.setenv("STATEKEEPER_ENCRYPTION_KEYS", f"{new},{key}")
    result = run("endpoints", "reseal")
    assert (result.exit_code, result.stdout) == (0, "1 endpoint is sealed with the first key.\n")
    monkeypatch.setenv("STATEKEEPER_ENCRYPTION_KEYS", new)
    assert run.json("endpoints", "show", "books")["usable"]


def test_what_no_key_opens_is_shown_so_and_named_by_a_reseal(run, monkeypatch):
    run("endpoints", "create", "books", URL)
    monkeypatch.setenv("STATEKEEPER_ENCRYPTION_KEYS", new_key())
    for command in (("endpoints",), ("endpoints", "show", "books")):
        result = run(*command)
        assert ("(cannot be opened)" in result.stdout, result.stderr) == (True, "")
    result = run("endpoints", "reseal")
    assert (result.exit_code, "books opens with none of the keys" in result.stderr) == (1, True)
    assert run("endpoints", "delete", "books", "--yes").exit_code == 0


def test_bad_usage_is_exit_2(run):
    assert run("endpoints", "create", "books").exit_code == 2
    assert run("endpoints", "rotate", "books", "--overlap", -1).exit_code == 2
    assert run("endpoints", "create", "books", URL, "--notice", "all").exit_code == 2


def follow(monkeypatch, service):
    """A queue with an entry for each time that the service's roster changes."""
    directory, heard = service._directory, asyncio.Queue()
    on_change = directory._on_change
    monkeypatch.setattr(directory, "_on_change", lambda: (on_change(), heard.put_nowait(True)))
    return heard


async def test_a_running_service_follows(run, tmp_path, monkeypatch, key):
    monkeypatch.setattr("statekeeper.delivery.directory.POLL_SECONDS", 0.01)
    (tmp_path / "secret").write_text(SECRET)
    store, networks = f"sqlite:///{tmp_path / 'statekeeper.db'}", {"allowed_networks": ["127.0.0.0/8"]}
    settings = settings_in(tmp_path, database_url=store, encryption_keys=[key], delivery=networks)
    async with Receiver() as receiver, Service(settings).running() as service, asking(service) as http:
        told, heard = service.engine.journal, follow(monkeypatch, service)
        created = ("endpoints", "create", "books", receiver.url, "--secret-file", tmp_path / "secret")
        assert (await asyncio.to_thread(run, *created)).exit_code == 0
        async with asyncio.timeout(5):
            await heard.get()
        assert [each.name for each in told.subscribers] == ["books"]
        for event in forge.story(1):
            await http.post("/webhooks/idnow", content=forge.token(event))
        (request,) = await receiver.wait_for(1)
        Webhook(SECRET).verify(request.body, dict(request.headers))
        assert (await asyncio.to_thread(run, "endpoints", "delete", "books", "--yes")).exit_code == 0
        async with asyncio.timeout(5):
            await heard.get()
        assert told.subscribers == ()
