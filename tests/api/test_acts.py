"""A session's gap is closed by hand, notes are put to it, and what was done is listed."""

import forge
from receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
WHY = {"reason": "the provider says that it is lost"}


async def hold(http, seed: int = 1) -> str:
    """A session whose end waits for its beginning."""
    *_, last = forge.story(seed)
    taken = (await http.webhook(last)).json()
    assert taken["disposition"] == "held"
    return taken["sessionId"]


async def test_a_dry_run_says_what_closing_a_gap_then_does(serving, client):
    async with Receiver() as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(endpoints=endpoints) as service, client(service.app) as http:
            session = await hold(http)
            answer = await http.post(f"/v1/sessions/{session}/close-gap?dryRun=true")
            plan = answer.json()
            assert (answer.status_code, plan["gap"]["source"]) == (200, "pending")
            assert (await http.get(f"/v1/sessions/{session}")).json()["held"] == [2]
            done = await http.post(f"/v1/sessions/{session}/close-gap", json=WHY)
            entry = done.json()
            assert done.status_code == 200
            assert (entry["act"], entry["reason"], entry["sessionId"]) == ("session.close_gap", WHY["reason"], session)
            (planned,) = plan["callbacks"]
            assert planned.pop("url") == receiver.url
            assert entry["effect"] == plan["gap"] | {"callbacks": [planned]}
            await receiver.wait_for(1)
            assert receiver.requests[0].headers["webhook-id"] == planned["callbackId"]
            again = await http.post(f"/v1/sessions/{session}/close-gap", json=WHY)
            assert (again.status_code, again.json()["title"]) == (409, "Nothing held")
