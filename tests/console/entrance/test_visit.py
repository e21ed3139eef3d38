"""What a visit proves, and what it adds to an answer, is that visit's alone."""

import pytest
from litestar import Request
from litestar.datastructures import Cookie

from statekeeper.console.entrance.visit import Visit, giving

CSRF = "the-secret-of-the-sign-in"
HEADERS = [(b"content-type", b"text/event-stream")]


async def test_a_cookie_is_given_to_one_visitor_and_stays_out_of_what_answers_share():
    sent = []

    async def send(message):
        sent.append(dict(message["headers"]))

    for cookie in (Cookie("name", value="first"), Cookie("name", value="second"), None):
        await giving(cookie, send)({"type": "http.response.start", "status": 200, "headers": HEADERS})
    assert [b"set-cookie" in each for each in sent] == [True, True, False]
    assert b"first" not in sent[1][b"set-cookie"]
    assert HEADERS == [(b"content-type", b"text/event-stream")]


@pytest.mark.parametrize("breaks_off", [True, False])
async def test_a_form_that_breaks_off_proves_nothing(breaks_off):
    """What came of it would be done as if it were the whole."""
    sent = [{"type": "http.request", "body": f"csrf={CSRF}&reason=only+ha".encode(), "more_body": breaks_off}]
    form = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/x-www-form-urlencoded")]}

    async def receive():
        return sent.pop() if sent else {"type": "http.disconnect"}

    assert await Visit(Request(form), "/console/sessions", receive).proves(CSRF) is not breaks_off
