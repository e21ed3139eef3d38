"""What `statekeeper.receiver` makes of requests: really signed, tampered with, and in each framework's clothes."""

import json
import subprocess
import sys
import time
from email.message import Message
from uuid import UUID

import pytest
from litestar.datastructures import Headers as LitestarHeaders
from multidict import CIMultiDict
from starlette.datastructures import Headers as StarletteHeaders

import posted
from posted import AT, OLD, OTHER, SESSION, body_of, ended
from posted import SECRET as NEW
from statekeeper import LastStep
from statekeeper.core.errors import StatekeeperError
from statekeeper.core.notices import Message as Notice
from statekeeper.core.notices import gap_closed
from statekeeper.receiver import CallbackRefused, verify
from statekeeper.trust.signing import sign

CALLBACK = UUID(int=1)
STEP = LastStep("END-ACCEPT", "END", "COMPLETED")
ENDED = ended(flow_id="Flüsse", last_step=STEP, contiguous=False, inferred=["session.created"], given_up=[1])
BODY = body_of(ENDED)


def signed(*secrets, body=BODY, at=0):
    return posted.signed(body, *secrets, at=at)


CREATED = body_of(ended(state="created"), final=False, detailed=True)
NOTICE = Notice("crm", CALLBACK, gap_closed(SESSION, (1,), ("session.created",), AT)).body.encode()


def changed(**members):
    """A callback of a later version of ours, or of somebody else: with other members, signed all the same."""
    body = json.dumps(json.loads(BODY) | members).encode()
    return signed(NEW, body=body), body


def with_data(**members):
    return changed(data=json.loads(BODY)["data"] | members)


def test_a_signed_callback_is_told_as_a_function_would_be_told_it():
    delivery = verify(signed(NEW), BODY, NEW)
    assert (delivery.callback_id, delivery.type, delivery.timestamp) == (CALLBACK, "session.completed", AT)
    assert delivery.data["sessionId"] == str(SESSION)
    assert delivery.ended == ENDED


@pytest.mark.parametrize("signers", [(NEW,), (OLD,), (NEW, OLD), (OLD, NEW), (OTHER, OLD)])
def test_while_secrets_change_any_that_fits_will_do(signers):
    assert verify(signed(*signers), BODY, (secret for secret in (NEW, OLD))).ended == ENDED


def message(headers):
    made = Message()
    for name, value in headers.items():
        made[name] = value
    return made


@pytest.mark.parametrize(
    "dressed",
    [
        lambda headers: {name.upper(): value for name, value in headers.items()},
        lambda headers: list(headers.items()),
        lambda headers: [(name.title().encode(), value.encode()) for name, value in headers.items()],
        LitestarHeaders,
        StarletteHeaders,
        CIMultiDict,
        message,
    ],
    ids=["dict", "pairs", "ASGI", "Litestar", "Starlette and FastAPI", "aiohttp", "http.server"],
)
def test_headers_may_be_of_any_framework(dressed):
    assert verify(dressed(signed(NEW)), BODY, NEW).callback_id == CALLBACK


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (dict, BODY, "Missing required headers"),
        (lambda: signed(NEW) | {"webhook-signature": ""}, BODY, "Missing required headers"),
        (lambda: signed(OTHER), BODY, "No matching signature found"),
        (lambda: signed(NEW), BODY + b" ", "No matching signature found"),
        (lambda: signed(NEW), BODY.replace(b"completed", b"aborted"), "No matching signature found"),
        (lambda: signed(NEW) | {"webhook-id": str(OLD)}, BODY, "No matching signature found"),
        (lambda: signed(NEW, at=-301), BODY, "Message timestamp too old"),
        (lambda: signed(NEW, at=330), BODY, "Message timestamp too new"),
        (lambda: signed(NEW) | {"webhook-timestamp": "soon"}, BODY, "Invalid Signature Headers"),
        (lambda: signed(NEW) | {"webhook-timestamp": "nan"}, BODY, "Invalid Signature Headers"),
        (lambda: signed(NEW) | {"webhook-signature": "v1"}, BODY, "Malformed signature or body"),
        (lambda: signed(NEW) | {"webhook-signature": "v1,a"}, BODY, "Malformed signature or body"),
        (lambda: signed(NEW) | {"webhook-signature": "v1,ü"}, BODY, "Malformed signature or body"),
        (lambda: signed(NEW, body=b"\xff"), b"\xff", "Malformed signature or body"),
    ],
)
def test_what_is_not_to_be_believed_is_refused_with_a_reason(headers, body, reason):
    """Signed when the test runs: minutes may pass between that and its collection."""
    with pytest.raises(CallbackRefused, match=f"^{reason}$") as refused:
        verify(headers(), body, [NEW, OLD])
    assert isinstance(refused.value, StatekeeperError)
    assert not any(secret[6:] in repr(refused.value) for secret in (NEW, OLD))


def test_a_signature_of_a_version_to_come_does_not_disturb():
    headers = signed(NEW)
    headers["webhook-signature"] = f"v2,AAAA v1a,AAAA {headers['webhook-signature']}"
    assert verify(headers, BODY, NEW).ended == ENDED


@pytest.mark.parametrize("secret", ["", "whsec_", NEW[6:], NEW[:-1], "whsec_MDEy"])
def test_what_is_no_secret_is_a_mistake_of_the_program_and_is_not_shown(secret):
    with pytest.raises(ValueError, match="must") as mistake:
        verify(signed(NEW), BODY, [NEW, secret])
    assert NEW[6:-1] not in str(mistake.value)


def test_no_secret_at_all_believes_nobody():
    with pytest.raises(ValueError, match="at least one secret"):
        verify(signed(NEW), BODY, [])


def test_members_that_are_not_known_here_are_left_in_the_data():
    headers, body = with_data(weather="fair", lastStep={"id": "E", "type": None, "status": None, "at": 1})
    delivery = verify(headers, body, NEW)
    assert delivery.data["weather"] == "fair"
    assert delivery.ended.last_step == LastStep("E", None, None)


@pytest.mark.parametrize(
    "sent",
    [
        lambda: (signed(NEW, body=CREATED), CREATED),
        lambda: (signed(NEW, body=NOTICE), NOTICE),
        lambda: changed(type="session.gap_closed"),
        lambda: changed(type="endpoint.disabled", data={"endpoint": "crm"}),
    ],
)
def test_what_tells_no_end_of_a_session_has_data_only(sent):
    headers, body = sent()
    delivery = verify(headers, body, NEW)
    assert delivery.ended is None
    assert delivery.data == json.loads(body)["data"]


@pytest.mark.parametrize(
    "sent",
    [
        lambda: (signed(NEW, body=b"{"), b"{"),
        lambda: (signed(NEW, body=b"[]"), b"[]"),
        lambda: (sign([NEW], "msg_1", int(time.time()), BODY), BODY),
        lambda: changed(type=None),
        lambda: changed(data=[]),
        lambda: changed(timestamp="2026-01-08T08:35:37.581"),
        lambda: changed(timestamp=1),
        lambda: with_data(sessionId=None),
        lambda: with_data(lastStep={"id": "E"}),
    ],
)
def test_what_is_signed_but_is_no_callback_is_refused(sent):
    headers, body = sent()
    with pytest.raises(CallbackRefused, match="no callback of Statekeeper"):
        verify(headers, body, NEW)


def test_importing_it_loads_no_store_and_no_web_stack():
    script = "import sys, statekeeper.receiver; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"litestar", "uvicorn", "httpx", "sqlalchemy", "sqlmodel", "pydantic", "cryptography", "jwt"}
    assert "standardwebhooks" in loaded
    assert not heavy.intersection(loaded)
