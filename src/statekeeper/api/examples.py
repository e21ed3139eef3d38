"""One session's documents as the reference shows them: views, so that they cannot differ from what is served."""

from typing import Any, Final
from uuid import UUID, uuid5

from statekeeper.api.streams import beginning, frame
from statekeeper.core.acts import Deed
from statekeeper.core.instants import parse_rfc3339
from statekeeper.store.act_plans import effect
from statekeeper.store.pages import write_cursor
from statekeeper.store.views import (
    ActPlanView,
    AttemptView,
    AuditPage,
    AuditView,
    CallbackView,
    CallbackWhyView,
    ChartView,
    ConsumerList,
    ConsumerView,
    DeliveryView,
    EndpointHealthView,
    EndpointsView,
    EndpointView,
    EventView,
    EventWhyView,
    FeedItem,
    FeedPage,
    GapView,
    HistoryView,
    LastStepView,
    OwedView,
    PingView,
    PlannedCallbackView,
    PlannedStepView,
    ReceiptView,
    RecoveryPage,
    RecoveryPlanView,
    RecoveryView,
    RetryPlanView,
    RetryView,
    SecretEndpointView,
    SessionPage,
    SessionView,
    SettledEventView,
    SigningSecretView,
    TransitionView,
    WhyView,
)

SESSION_ID: Final = UUID("fe1941c2-0d5b-4c35-8f0c-6a3f1f0c7a55")
CALLBACK_ID: Final = uuid5(SESSION_ID, "2:crm")
_CREATED_AT: Final = "2026-01-08T08:31:02.114Z"
_ENDED_AT: Final = "2026-01-08T08:35:37.581Z"
_EVENT_IDS: Final = ("0b0c3a3e-7c67-4a3c-9d0e-8f6f0e2c1a11", "61a51c5b-7c1f-4a63-b0a5-2d9f0d6d8e42")

TOKEN: Final = "<header>.<payload>.<signature>"  # noqa: S105 -- the shape of a token, not one
RECEIPT: Final = ReceiptView(_EVENT_IDS[1], SESSION_ID, 2, "applied", "completed")
SESSION: Final = SessionView(
    session_id=SESSION_ID,
    flow_id="bf8e2e27-3a6e-4a0c-9a53-0f3f9f1f2b77",
    environment="staging",
    state="completed",
    terminal=True,
    cursor=2,
    held=[],
    missing=[],
    contiguous=True,
    chart=ChartView("idnow-session", "9f2c4e7a1b3d5f60"),
    last_step=LastStepView("END-ACCEPT", "END", "COMPLETED"),
    first_seen_at=_CREATED_AT,
    updated_at=_ENDED_AT,
    ended_at=_ENDED_AT,
)
PAGE: Final = SessionPage([SESSION], write_cursor((parse_rfc3339(_ENDED_AT), SESSION_ID)))
HISTORY: Final = HistoryView(
    session_id=SESSION_ID,
    transitions=[
        TransitionView(1, "pending", "created", "session.created", "event", _EVENT_IDS[0], 1, _CREATED_AT, None),
        TransitionView(2, "created", "completed", "session.completed", "event", _EVENT_IDS[1], 2, _ENDED_AT, None),
    ],
    events=[
        EventView(
            event_id=event_id,
            event_name=name,
            sequence=sequence,
            disposition="applied",
            session_status=status,
            sent_at=at,
            received_at=at,
            deliveries=[DeliveryView("1", at)],
        )
        for event_id, name, sequence, status, at in (
            (_EVENT_IDS[0], "session.created", 1, "CREATED", _CREATED_AT),
            (_EVENT_IDS[1], "session.completed", 2, "COMPLETED", _ENDED_AT),
        )
    ],
    callbacks=[
        CallbackView(
            callback_id=CALLBACK_ID,
            subscriber="crm",
            state="completed",
            status="delivered",
            receipt="case-4711",
            attempts=[AttemptView(1, _ENDED_AT, 38, "delivered", None, '{"receipt": "case-4711"}')],
            next_attempt_at=None,
        )
    ],
)
WHY: Final = WhyView(
    session_id=SESSION_ID,
    state="completed",
    summary=[
        f"It is completed: number 2 (session.completed) ended it at {_ENDED_AT}.",
        f"The callback to crm (completed) was delivered at {_ENDED_AT}.",
    ],
    events=[
        EventWhyView(
            _EVENT_IDS[0], 1, "applied", "Number 1 (session.created) moved the session from pending to created."
        ),
        EventWhyView(
            _EVENT_IDS[1], 2, "applied", "Number 2 (session.completed) moved the session from created to completed."
        ),
    ],
    callbacks=[
        CallbackWhyView(
            CALLBACK_ID, "crm", "delivered", f"The callback to crm (completed) was delivered at {_ENDED_AT}."
        )
    ],
)
FEED_ITEM: Final = FeedItem(
    type="session.completed",
    position="42",
    session_id=SESSION_ID,
    ordinal=2,
    state="completed",
    source="created",
    trigger="session.completed",
    cause="event",
    event_id=_EVENT_IDS[1],
    sequence=2,
    at=_ENDED_AT,
    terminal=True,
    flow_id=SESSION.flow_id,
    environment=SESSION.environment,
    ended_at=_ENDED_AT,
    last_step=SESSION.last_step,
    sequences=[1, 2],
    contiguous=True,
    inferred=[],
    given_up=[],
)
FEED_PAGE: Final = FeedPage([FEED_ITEM], "42")
FEED_FRAMES: Final = (beginning(41) + frame(42, FEED_ITEM)).decode()
SESSION_FRAMES: Final = (beginning(1) + frame(2, FEED_ITEM)).decode()
CONSUMER: Final = ConsumerView("crm", "42", "terminal", 0, 0.0, _CREATED_AT, _ENDED_AT)
CONSUMERS: Final = ConsumerList([CONSUMER], "42")
RETRY: Final = RetryView(CALLBACK_ID, "pending", "2026-01-08T09:00:00.000Z")
_ENDPOINT: Final[dict[str, Any]] = {
    "name": "crm",
    "kind": "http",
    "origin": "api",
    "usable": True,
    "url": "https://crm.example/hooks/ident",
    "secrets": [SigningSecretView(None), SigningSecretView("2026-01-09T08:35:37.581Z")],
    "transitions": "terminal",
    "states": ["completed"],
    "environments": [],
    "flows": [],
    "notices": [],
    "concurrency": 8,
    "rate": None,
    "health": EndpointHealthView("closed", 0, None, None, None, None),
    "callbacks": OwedView(0, 0),
    "created_at": _CREATED_AT,
    "updated_at": _ENDED_AT,
}
ENDPOINT: Final = EndpointView(**_ENDPOINT)
ENDPOINTS: Final = EndpointsView([ENDPOINT])
SECRET_ENDPOINT: Final = SecretEndpointView(**_ENDPOINT, secret="whsec_…")  # noqa: S106 -- the shape of one
PING: Final = PingView(str(CALLBACK_ID), "failed", "HTTP 503", 41, "down for maintenance")
RETRY_PLAN: Final = RetryPlanView(CALLBACK_ID, "crm", "dead", 10, dry_run=True)
RECOVERY: Final = RecoveryView(
    recovery_id=UUID("3f0d6f5e-52a5-4a39-9c0a-1d8a5f6c7b21"),
    kind="retry",
    subscriber="crm",
    since="2026-01-08T06:00:00.000Z",
    until="2026-01-08T09:00:00.000Z",
    total=1200,
    done=500,
    created_at="2026-01-08T09:00:00.000Z",
    finished_at=None,
)
RECOVERY_PLAN: Final = RecoveryPlanView("retry", "crm", RECOVERY.since, RECOVERY.until, 1200, dry_run=True)
RECOVERIES: Final = RecoveryPage([RECOVERY], None)
RESEND_PLAN: Final = ActPlanView(
    act=Deed.RESEND.value,
    session_id=SESSION_ID,
    callback_id=CALLBACK_ID,
    gap=None,
    callbacks=[PlannedCallbackView(CALLBACK_ID, "crm", "completed", "delivered", 1, "https://crm.example/hooks/ident")],
    dry_run=True,
)
_GAP: Final = GapView(
    source="pending",
    target="completed",
    given_up=[1],
    steps=[
        PlannedStepView("pending", "created", "session.created", "inferred", None),
        PlannedStepView("created", "completed", "session.completed", "event", 2),
    ],
    events=[SettledEventView(_EVENT_IDS[1], "session.completed", 2, "applied")],
    held=[],
)
GAP_PLAN: Final = ActPlanView(
    act=Deed.CLOSE_GAP.value,
    session_id=SESSION_ID,
    callback_id=None,
    gap=_GAP,
    callbacks=[PlannedCallbackView(CALLBACK_ID, "crm", "completed", "new", 0, "https://crm.example/hooks/ident")],
    dry_run=True,
)
_ENTRY: Final[dict[str, Any]] = {
    "at": "2026-01-08T08:36:02.114Z",
    "actor": "anna",
    "role": "support",
    "via": "api",
    "origin": "192.0.2.7",
    "session_id": SESSION_ID,
    "callback_id": None,
    "subject": None,
    "account": None,
}
CLOSED: Final = AuditView(
    entry_id="17",
    act=Deed.CLOSE_GAP.value,
    reason="the provider says that it is lost",
    effect=effect(GAP_PLAN),
    **_ENTRY,
)
NOTED: Final = AuditView(
    entry_id="18", act=Deed.NOTE.value, reason="Called the customer, ticket 4711", effect={}, **_ENTRY
)
AUDIT: Final = AuditPage([NOTED, CLOSED], None)
