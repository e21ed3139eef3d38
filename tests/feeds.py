"""The feed of a store, as tests read it."""

from uuid import UUID

from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.views import FeedPage
from stores import Store

ENDS, ALL = FeedFilter(), FeedFilter(terminal=False)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


def short(page: FeedPage) -> list[tuple[int, int, str]]:
    return [(int(each.position), each.session_id.int, each.state) for each in page.items]


async def walk(store: Store, wanted: FeedFilter, limit: int = 100) -> list[tuple[int, int, str]]:
    """What a reader sees from the beginning, each page behind the one before, up to an empty one at the head."""
    seen, after = [], 0
    while (page := await store.queries.feed.page(after, wanted, limit)).items:
        assert len(page.items) <= limit
        assert after < int(page.items[-1].position) <= int(page.next_cursor)
        seen += short(page)
        after = int(page.next_cursor)
    assert int(page.next_cursor) == await store.queries.feed.head()
    return seen
