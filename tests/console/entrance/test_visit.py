"""What a visit adds to an answer is that visit's alone."""

from litestar.datastructures import Cookie

from statekeeper.console.entrance.visit import giving

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
