"""Ends of sessions pulled from the feed: each is dealt with at least once, in the order of the feed.

$ pip install httpx
$ export STATEKEEPER_AT=http://127.0.0.1:8000
$ export STATEKEEPER_TOKEN=…               # of the role support; not needed where no tokens are configured
$ python docs/examples/feed_consumer.py
"""

import os
from collections.abc import Callable
from typing import Any

import httpx

Item = dict[str, Any]
NAME = "warehouse"
CONSUMER = f"/v1/feed/consumers/{NAME}"


def connect() -> httpx.Client:
    token = os.environ.get("STATEKEEPER_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=os.environ.get("STATEKEEPER_AT", "http://127.0.0.1:8000"), headers=headers, timeout=90)


def follow(client: httpx.Client, deal_with: Callable[[Item], object]) -> None:
    """Read, deal with, acknowledge, for ever: who dies in between reads the same items again."""
    if client.get(CONSUMER).status_code == httpx.codes.NOT_FOUND:
        client.put(CONSUMER, json={"position": "start"}).raise_for_status()
    position = client.get(CONSUMER).raise_for_status().json()["position"]
    while True:
        page = client.get("/v1/feed", params={"consumer": NAME, "wait": 60}).raise_for_status().json()
        for item in page["items"]:
            deal_with(item)
        moved = client.put(CONSUMER, json={"position": page["nextCursor"], "expected": position})
        position = moved.raise_for_status().json()["position"]


if __name__ == "__main__":
    with connect() as client:
        follow(client, lambda item: print(item["position"], item["type"], item["sessionId"]))
