"""Health and figures."""

from typing import Final

from statekeeper.api.contract import Answer, Operation
from statekeeper.api.health import LiveView, ReadyView

SERVICE: Final = (
    Operation(
        method="get",
        path="/health/live",
        name="getLiveness",
        tag="Operation",
        summary="Whether the process lives",
        description="A process that does not answer this should be restarted.",
        answers={200: Answer("It does.", LiveView("live"))},
        protected=False,
    ),
    Operation(
        method="get",
        path="/health/ready",
        name="getReadiness",
        tag="Operation",
        summary="Whether webhooks can be taken now",
        description="The store answers, keys have been had, and the tasks run. Do not restart for want of it.",
        answers={
            200: Answer("They can.", ReadyView("ready", {"store": True, "keys": True, "tasks": True, "writes": True})),
            503: Answer(
                "They cannot.", ReadyView("unready", {"store": True, "keys": False, "tasks": True, "writes": True})
            ),
        },
        protected=False,
    ),
    Operation(
        method="get",
        path="/metrics",
        name="getMetrics",
        tag="Operation",
        summary="The figures, for Prometheus",
        description="In the text format of Prometheus.",
        answers={
            200: Answer(
                "The figures.",
                media_type="text/plain",
                text='statekeeper_events_total{disposition="applied"} 2.0\n',
            )
        },
    ),
)
