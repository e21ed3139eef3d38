"""What a query shows: the contract's documents, as msgspec writes them in camelCase.

A view is made of strings and numbers that are ready to be shown: times are RFC 3339 with milliseconds and `Z`. The API
encodes it, the command line prints it, and the OpenAPI document describes it; nobody writes one of these shapes twice.
"""

from statekeeper.store.views.acts import (
    ActPlanView,
    GapView,
    PlannedCallbackView,
    PlannedStepView,
    SettledEventView,
)
from statekeeper.store.views.audit import AuditPage, AuditView
from statekeeper.store.views.base import Instant, View
from statekeeper.store.views.callbacks import (
    AttemptView,
    CallbackPage,
    CallbackView,
    RetryPlanView,
    RetryView,
    SessionCallbackView,
)
from statekeeper.store.views.endpoints import (
    EndpointHealthView,
    EndpointsView,
    EndpointView,
    OwedView,
    PingView,
    SecretEndpointView,
    SigningSecretView,
)
from statekeeper.store.views.explanations import CallbackWhyView, EventWhyView, WhyView
from statekeeper.store.views.feed import ConsumerList, ConsumerView, FeedItem, FeedPage
from statekeeper.store.views.histories import DeliveryView, EventView, HistoryView, TransitionView
from statekeeper.store.views.recoveries import RecoveryPage, RecoveryPlanView, RecoveryView
from statekeeper.store.views.refusals import FaultView, RefusalView
from statekeeper.store.views.sessions import ChartView, LastStepView, ReceiptView, SessionPage, SessionView

__all__ = [
    "ActPlanView",
    "AttemptView",
    "AuditPage",
    "AuditView",
    "CallbackPage",
    "CallbackView",
    "CallbackWhyView",
    "ChartView",
    "ConsumerList",
    "ConsumerView",
    "DeliveryView",
    "EndpointHealthView",
    "EndpointView",
    "EndpointsView",
    "EventView",
    "EventWhyView",
    "FaultView",
    "FeedItem",
    "FeedPage",
    "GapView",
    "HistoryView",
    "Instant",
    "LastStepView",
    "OwedView",
    "PingView",
    "PlannedCallbackView",
    "PlannedStepView",
    "ReceiptView",
    "RecoveryPage",
    "RecoveryPlanView",
    "RecoveryView",
    "RefusalView",
    "RetryPlanView",
    "RetryView",
    "SecretEndpointView",
    "SessionCallbackView",
    "SessionPage",
    "SessionView",
    "SettledEventView",
    "SigningSecretView",
    "TransitionView",
    "View",
    "WhyView",
]
