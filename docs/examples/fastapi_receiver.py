"""Callbacks received with FastAPI, each done once.

$ pip install statekeeper fastapi
$ export CALLBACK_SECRETS=whsec_…          # newest first; two of them, with a blank between, while they change
$ uvicorn --app-dir docs/examples fastapi_receiver:app --port 9000
"""

import os
import sqlite3
from contextlib import closing

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from statekeeper import SessionEnded
from statekeeper.receiver import CallbackRefused, verify

SECRETS = os.environ["CALLBACK_SECRETS"].split()
STORE = os.environ.get("CALLBACK_STORE", "receiver.db")
app = FastAPI()


@app.post("/hooks/statekeeper")
async def receive(request: Request) -> dict[str, str]:
    """Believe it, do it once, say so. What is new to us and tells no end is acknowledged, or it would come for days."""
    try:
        delivery = verify(request.headers, await request.body(), SECRETS)
    except CallbackRefused as refused:
        raise HTTPException(401, str(refused)) from None
    if delivery.ended is None:
        return {}
    case = await run_in_threadpool(open_case, delivery.ended)
    return {"receipt": f"case {case}"}


def open_case(ended: SessionEnded) -> int:
    """The work, in one transaction with keeping the callback's id: for a repeat it is the case that there is."""
    with closing(sqlite3.connect(STORE)) as store, store:
        store.execute("CREATE TABLE IF NOT EXISTS cases (callback TEXT UNIQUE, session TEXT, state TEXT)")
        row = (str(ended.callback_id), str(ended.session_id), ended.state)
        store.execute("INSERT INTO cases VALUES (?, ?, ?) ON CONFLICT (callback) DO NOTHING", row)
        (case,) = store.execute("SELECT rowid FROM cases WHERE callback = ?", row[:1]).fetchone()
    return int(case)
