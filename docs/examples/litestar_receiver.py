"""Callbacks received with Litestar, each done once.

$ pip install statekeeper
$ export CALLBACK_SECRETS=whsec_…          # newest first; two of them, with a blank between, while they change
$ uvicorn --app-dir docs/examples litestar_receiver:app --port 9000
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from typing import Any

from litestar import Litestar, Request, Response, post

from statekeeper import SessionEnded
from statekeeper.receiver import CallbackRefused, verify

SECRETS = os.environ["CALLBACK_SECRETS"].split()
STORE = os.environ.get("CALLBACK_STORE", "receiver.db")


@post("/hooks/statekeeper", status_code=200)
async def receive(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """Believe it, do it once, say so. What is new to us and tells no end is acknowledged, or it would come for days."""
    try:
        delivery = verify(request.headers, await request.body(), SECRETS)
    except CallbackRefused as refused:
        return Response({"detail": str(refused)}, status_code=401)
    if delivery.ended is None:
        return Response({})
    case = await asyncio.to_thread(open_case, delivery.ended)
    return Response({"receipt": f"case {case}"})


def open_case(ended: SessionEnded) -> int:
    """The work, in one transaction with keeping the callback's id: for a repeat it is the case that there is."""
    with closing(sqlite3.connect(STORE)) as store, store:
        store.execute("CREATE TABLE IF NOT EXISTS cases (callback TEXT UNIQUE, session TEXT, state TEXT)")
        row = (str(ended.callback_id), str(ended.session_id), ended.state)
        store.execute("INSERT INTO cases VALUES (?, ?, ?) ON CONFLICT (callback) DO NOTHING", row)
        (case,) = store.execute("SELECT rowid FROM cases WHERE callback = ?", row[:1]).fetchone()
    return int(case)


app = Litestar([receive])
