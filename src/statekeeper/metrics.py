"""The service's figures, for Prometheus: counted where things happen, read by `GET /metrics`.

They are the process's, not an app's: a scrape asks a process. Labels hold only names of subscribers and words of
the contract, never anything that a stranger sent, so that their number is bounded.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

ACK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

EVENTS: Final = Counter(
    "statekeeper_events", "Verified events by what became of them.", ["disposition"], registry=REGISTRY
)
REFUSALS: Final = Counter("statekeeper_refusals", "Webhooks refused, by reason.", ["reason"], registry=REGISTRY)
BATCH_SIZE: Final = Histogram(
    "statekeeper_batch_size", "Jobs in one transaction.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=REGISTRY
)
COMMIT_SECONDS: Final = Histogram(
    "statekeeper_commit_seconds",
    "From the begin of a transaction to its end on disk.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
ACK_SECONDS: Final = Histogram(
    "statekeeper_ack_seconds",
    "From a webhook's arrival to its answer of 200.",
    buckets=ACK_BUCKETS,
    registry=REGISTRY,
)
HELD_SESSIONS: Final = Gauge("statekeeper_held_sessions", "Sessions with an event that waits.", registry=REGISTRY)
OLDEST_GAP: Final = Gauge("statekeeper_oldest_gap_seconds", "Age of the oldest gap; 0 without one.", registry=REGISTRY)
ATTEMPTS: Final = Counter(
    "statekeeper_callback_attempts", "Attempts by their outcome.", ["subscriber", "outcome"], registry=REGISTRY
)
CIRCUITS_OPENED: Final = Counter(
    "statekeeper_endpoint_circuits_opened",
    "How often a run of failures opened an endpoint's circuit.",
    ["endpoint"],
    registry=REGISTRY,
)
ENDPOINT_STATE: Final = Gauge(
    "statekeeper_endpoint_state",
    "1 for the state that an endpoint's circuit is in, 0 for the others; endpoints that ever failed.",
    ["endpoint", "state"],
    registry=REGISTRY,
)
PENDING_CALLBACKS: Final = Gauge(
    "statekeeper_pending_callbacks", "Callbacks not delivered and not dead.", ["subscriber"], registry=REGISTRY
)
DEAD_CALLBACKS: Final = Gauge(
    "statekeeper_dead_callbacks", "Callbacks that are not sent again by themselves.", ["subscriber"], registry=REGISTRY
)
OLDEST_DUE: Final = Gauge(
    "statekeeper_oldest_due_callback_seconds", "How long the oldest due callback is overdue.", registry=REGISTRY
)
UNLOADED_CALLBACKS: Final = Gauge(
    "statekeeper_unloaded_callbacks",
    "Callbacks that wait for a subscriber this process has not loaded.",
    registry=REGISTRY,
)
FEED_POSITION: Final = Gauge(
    "statekeeper_feed_position", "The position of the newest step in the feed.", registry=REGISTRY
)
FEED_LAG: Final = Gauge(
    "statekeeper_feed_consumer_lag",
    "Items of its kind that a named consumer of the feed has not acknowledged.",
    ["consumer"],
    registry=REGISTRY,
)
UNOPENED_ENDPOINTS: Final = Gauge(
    "statekeeper_unopened_endpoints",
    "Endpoints of the store that none of encryption_keys opens; their callbacks wait.",
    registry=REGISTRY,
)
UNDECIDABLE: Final = Counter(
    "statekeeper_undecidable_callbacks",
    "Callbacks not owed only because the session's flow or environment is unknown.",
    ["subscriber"],
    registry=REGISTRY,
)
RECOVERED: Final = Counter(
    "statekeeper_recovered_callbacks",
    "Callbacks that a recovery made due: dead ones, or ones written after the fact.",
    ["subscriber"],
    registry=REGISTRY,
)
UNFITTING_STATUS: Final = Counter(
    "statekeeper_unfitting_status", "Events whose sessionStatus does not fit their eventName.", registry=REGISTRY
)
KEY_FETCHES: Final = Counter("statekeeper_key_fetches", "Fetches of the issuer's keys.", ["outcome"], registry=REGISTRY)
