"""The floor: what there is to do whatever the service is. The token is checked and its bytes are on disk, no more.

The same Litestar handler style, the same libraries, PyJWT's check, one group commit for all that wait (and as large a
group), written by raw sqlite3 in a thread. It is run as `uvicorn benchmarks.floor:app` with `FLOOR_STORE` and
`FLOOR_KEYS`.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import msgspec
from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

from benchmarks.traffic import AUDIENCE, ISSUER, WEBHOOK
from statekeeper.writer import GATHERING_TURNS

KEYS = {
    key.key_id: key.key for key in jwt.PyJWKSet.from_dict(json.loads(Path(os.environ["FLOOR_KEYS"]).read_text())).keys
}
POLICY = {"algorithms": ["RS256"], "audience": AUDIENCE, "issuer": ISSUER, "leeway": 60}
INSERT = "INSERT INTO events (event_id, token) VALUES (?, ?)"
encode = msgspec.json.Encoder().encode
waiting: list[tuple[tuple[str, str], asyncio.Future[None]]] = []
arrived = asyncio.Event()


@asgi(WEBHOOK, copy_scope=False)
async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 -- Litestar asks for it
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    token = body.decode()
    key = KEYS[jwt.get_unverified_header(token)["kid"]]
    data = jwt.decode(token, key, **POLICY)["data"]
    done = asyncio.get_running_loop().create_future()
    waiting.append(((data["eventId"], token), done))
    arrived.set()
    await done
    answer = encode({"eventId": data["eventId"]})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer, "more_body": False})


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["FLOOR_STORE"], isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (event_id TEXT, token TEXT)")
    return connection


def write(connection: sqlite3.Connection, rows: list[tuple[str, str]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")


async def drain() -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        connection = await loop.run_in_executor(thread, connect)
        while True:
            await arrived.wait()
            for _ in range(GATHERING_TURNS):
                await asyncio.sleep(0)
            arrived.clear()
            batch, waiting[:] = waiting[:], []
            await loop.run_in_executor(thread, write, connection, [row for row, _ in batch])
            for _, done in batch:
                done.set_result(None)


@asynccontextmanager
async def draining(_app: Litestar) -> AsyncIterator[None]:
    task = asyncio.create_task(drain())
    yield
    task.cancel()


app = Litestar([receive_webhook], lifespan=[draining], openapi_config=None, logging_config=None)
