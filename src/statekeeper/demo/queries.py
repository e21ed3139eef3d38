"""What the demo asks the service, over the same HTTP that everybody uses."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import httpx

from statekeeper.demo.verdict import Document

_PAGE: Final = 200
_AT_ONCE: Final = 8


async def list_sessions(client: httpx.AsyncClient, **filters: str) -> dict[UUID, Document]:
    """All sessions, page by page."""
    found: dict[UUID, Document] = {}
    cursor: dict[str, str] = {}
    while True:
        page = await _get(client, "/v1/sessions", {"limit": str(_PAGE), **filters, **cursor})
        found |= {UUID(item["sessionId"]): item for item in page["items"]}
        if page["nextCursor"] is None:
            return found
        cursor = {"cursor": page["nextCursor"]}


async def read_histories(
    client: httpx.AsyncClient, session_ids: Iterable[UUID]
) -> AsyncIterator[tuple[UUID, Document]]:
    """The history of each session, some at a time."""
    for some in _batches(session_ids, _AT_ONCE):
        paths = [f"/v1/sessions/{session_id}/history" for session_id in some]
        histories = await asyncio.gather(*[_get(client, path, {}) for path in paths])
        for session_id, history in zip(some, histories, strict=True):
            yield session_id, history


def _batches(items: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


async def _get(client: httpx.AsyncClient, path: str, query: dict[str, str]) -> Any:  # noqa: ANN401 -- JSON
    answer = await client.get(path, params=query)
    answer.raise_for_status()
    return answer.json()
