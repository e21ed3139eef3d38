"""Ends of sessions pulled from the feed: each is dealt with at least once, in the order of the feed.

$ pip install httpx
$ export STATEKEEPER_AT=http://127.0.0.1:8000
$ export STATEKEEPER_TOKEN=…               # of the role support; not needed where no tokens are configured
$ python docs/examples/feed_consumer.py

An item is acknowledged after it has been dealt with, so that it comes again if this program dies in between, or if
another worker has moved the position meanwhile: what `deal_with` does must bear to be done twice. A service that is
away is waited for, longer each time. What waiting does not mend, a token of the wrong role say, ends the program.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

Item = dict[str, Any]
NAME = "warehouse"
CONSUMER = f"/v1/feed/consumers/{NAME}"
LONGEST_PAUSE = 60.0


def connect() -> httpx.Client:
    token = os.environ.get("STATEKEEPER_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=os.environ.get("STATEKEEPER_AT", "http://127.0.0.1:8000"), headers=headers, timeout=90)


class Consumer:
    """A worker under the consumer's name; `pause` waits so many seconds."""

    def __init__(self, client: httpx.Client, pause: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def follow(self, deal_with: Callable[[Item], object]) -> None:
        """Read, deal with, acknowledge, for ever."""
        position = self._join()
        while True:
            page = self._ask("GET", "/v1/feed", params={"consumer": NAME, "wait": 60}).json()
            for item in page["items"]:
                deal_with(item)
            body = {"position": page["nextCursor"], "expected": position}
            moved = self._ask("PUT", CONSUMER, httpx.codes.CONFLICT, json=body)
            position = moved.json()["position"] if moved.is_success else self._join()

    def _join(self) -> str:
        """Where the service says that the consumer is, who is made at the start if need be."""
        found = self._ask("GET", CONSUMER, httpx.codes.NOT_FOUND)
        if not found.is_success:
            found = self._ask("PUT", CONSUMER, json={"position": "start"})
        position: str = found.json()["position"]
        return position

    def _ask(
        self, method: str, path: str, *expected: int, params: Item | None = None, json: Item | None = None
    ) -> httpx.Response:
        """The answer, however long it takes to have one: a success or one of these statuses."""
        seconds = 1.0
        while True:
            try:
                answer = self._client.request(method, path, params=params, json=json)
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success or answer.status_code in expected:
                    return answer
                trouble = f"{method} {path} is answered {answer.status_code}: {answer.text}"
                if not answer.is_server_error:
                    sys.exit(trouble)
            print(f"{trouble}; again in {seconds:g} s", file=sys.stderr)
            self._pause(seconds)
            seconds = min(2 * seconds, LONGEST_PAUSE)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), connect() as client:
        Consumer(client).follow(lambda item: print(item["position"], item["type"], item["sessionId"]))
