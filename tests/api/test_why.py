"""A session told in sentences, over HTTP."""

import re

import pytest

import forge

CREATED, COMPLETED = forge.story(1)
SESSION = CREATED["payload"]["sessionId"]
PATH = f"/v1/sessions/{SESSION}/why"
ENDPOINT = {"name": "crm", "url": "http://127.0.0.1:9/hooks", "secrets": ["whsec_" + "QUFB" * 8]}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def timeless(text):
    return TIME.sub("TIME", text)


async def test_a_session_that_has_ended_is_told_with_all_that_befell_it(http):
    for event in (CREATED, COMPLETED, forge.redelivered(CREATED)):
        await http.webhook(event)
    answer = await http.get(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["sessionId"], told["state"], told["callbacks"]) == (SESSION, "completed", [])
    assert list(map(timeless, told["summary"])) == [
        "It is completed: number 2 (session.completed) ended it at TIME.",
        "Nobody was to be told.",
    ]
    texts = {(event["eventId"], event["sequence"], event["disposition"]): event["text"] for event in told["events"]}
    assert {key: timeless(text) for key, text in texts.items()} == {
        (CREATED["eventId"], 1, "applied"): (
            "Number 1 (session.created) moved the session from pending to created. It was delivered once more, at TIME."
        ),
        (COMPLETED["eventId"], 2, "applied"): (
            "Number 2 (session.completed) moved the session from created to completed."
        ),
    }


async def test_a_session_that_waits_is_told_by_the_services_own_gap_timeout(serving, client):
    async with serving(ordering={"gap_timeout": 3600}) as service, client(service.app) as http:
        await http.webhook(COMPLETED)
        waits, comes = (await http.get(PATH)).json()["summary"]
        assert waits.startswith("It has waited for number 1 since 20")
        assert timeless(comes) == "At TIME number 1 is given up on, and it becomes completed."


async def test_a_callback_that_no_subscriber_loaded_here_can_be_sent_is_told_of(serving, client):
    async with serving(endpoints=[ENDPOINT]) as service, client(service.app) as http:
        service._directory.senders.clear()
        for event in (CREATED, COMPLETED):
            await http.webhook(event)
        told = (await http.get(PATH)).json()
        text = "The callback to crm (completed) is held back: no subscriber of that name is loaded now."
        assert told["summary"][1] == text
        (callback,) = told["callbacks"]
        assert set(callback) == {"callbackId", "subscriber", "status", "text"}
        assert (callback["subscriber"], callback["status"], callback["text"]) == ("crm", "pending", text)


@pytest.mark.parametrize("role", ["reader", "support", "admin"])
async def test_every_role_may_ask(guarded, bearer, role):
    await guarded.webhook(CREATED)
    assert (await guarded.get(PATH, headers=bearer(role))).status_code == 200
    assert (await guarded.get(PATH)).status_code == 401


async def test_a_parameter_that_is_not_known_is_refused(http):
    await http.webhook(CREATED)
    assert (await http.get(f"{PATH}?lang=de")).status_code == 400
