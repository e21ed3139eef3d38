"""The peer: the same job as it is written by hand in an afternoon, with the usual libraries and no thought of groups.

FastAPI takes the webhook, PyJWT verifies it, SQLModel keeps sessions, events and an outbox, transitions moves the
state, early events wait for those before them; and each event is a transaction of its own. It is run as
`uvicorn benchmarks.peer:app` with `PEER_STORE` and `PEER_KEYS`.
"""

import json
import os
from pathlib import Path
from typing import Any

import jwt
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import event as events
from sqlmodel import Field, Session, SQLModel, create_engine, select
from transitions import Machine, MachineError

from benchmarks.traffic import AUDIENCE, ISSUER

ENDS = ["completed", "expired", "aborted", "error"]
TABLE = [["session.created", "pending", "created"], *([f"session.{end}", "created", end] for end in ENDS)]
KEYS = {
    key.key_id: key.key for key in jwt.PyJWKSet.from_dict(json.loads(Path(os.environ["PEER_KEYS"]).read_text())).keys
}


class SessionState(SQLModel, table=True):
    session_id: str = Field(primary_key=True)
    state: str = "pending"
    cursor: int = 0


class StoredEvent(SQLModel, table=True):
    event_id: str = Field(primary_key=True)
    session_id: str = Field(index=True)
    name: str
    sequence: int
    disposition: str
    token: str


class Callback(SQLModel, table=True):
    session_id: str = Field(primary_key=True)
    state: str
    delivered: bool = False


engine = create_engine(f"sqlite:///{os.environ['PEER_STORE']}", connect_args={"check_same_thread": False})
events.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode=WAL"))
events.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=FULL"))
SQLModel.metadata.create_all(engine)
app = FastAPI()


@app.post("/webhooks/idnow")
async def receive(request: Request) -> dict[str, Any]:
    token = await request.body()
    try:
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        data = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER, leeway=60)["data"]
    except (jwt.PyJWTError, KeyError) as error:
        raise HTTPException(401, "Not verified") from error
    with Session(engine, expire_on_commit=False) as db:
        disposition, state = take(db, data, token.decode())
        db.commit()
    return {"eventId": data["eventId"], "disposition": disposition, "state": state}


def take(db: Session, data: dict[str, Any], token: str) -> tuple[str, str]:
    session_id, number = data["payload"]["sessionId"], int(data["eventSequence"])
    row = db.get(SessionState, session_id) or SessionState(session_id=session_id)
    if db.get(StoredEvent, data["eventId"]):
        return "duplicate", row.state
    event = StoredEvent(event_id=data["eventId"], session_id=session_id, name=data["eventName"], sequence=number,
                        disposition="held", token=token)  # fmt: skip
    db.add_all([row, event])
    held = select(StoredEvent).where(StoredEvent.session_id == session_id, StoredEvent.disposition == "held")
    for waiting in db.exec(held.order_by(StoredEvent.sequence)).all():
        if waiting.sequence == row.cursor + 1:
            apply(db, row, waiting)
    return event.disposition, row.state


def apply(db: Session, row: SessionState, event: StoredEvent) -> None:
    machine = Machine(
        states=["pending", "created", *ENDS], transitions=TABLE, initial=row.state, auto_transitions=False
    )
    try:
        machine.trigger(event.name)
        event.disposition = "applied"
    except (MachineError, AttributeError):
        event.disposition = "rejected"
    row.cursor, row.state = event.sequence, machine.state
    if row.state in ENDS:
        db.add(Callback(session_id=row.session_id, state=row.state))
