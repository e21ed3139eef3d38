"""What is kept of verified webhooks that were no events, on both engines."""

import msgspec

from statekeeper.core.errors import Fault
from statekeeper.store.refusals import Refusal, keep_refusal
from stores import KEY


async def test_refusals_are_shown_the_newest_first_with_their_proof(store):
    for token in ("first", "second"):
        refusal = Refusal((Fault("data.eventId", "is wrong"),), token, KEY)
        await store.run(lambda c, now, refusal=refusal: keep_refusal(c, refusal, now))
    second, first = await store.queries.refusals.newest()
    assert (second.token, first.token, second.at) == ("second", "first", "2026-01-08T08:35:37.581Z")
    assert msgspec.to_builtins(second.errors) == [{"field": "data.eventId", "detail": "is wrong"}]
    assert len(await store.queries.refusals.newest(1)) == 1
