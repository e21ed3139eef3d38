"""Why a session stands as it does: all that is known of it, told as of now."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from statekeeper.explanation.case import Case, CaseEvent, Circumstances
from statekeeper.explanation.why import Why, explain
from statekeeper.store.queries.cases import Cases
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import CallbackWhyView, EventWhyView, WhyView


class Explanations:
    """Tells why."""

    def __init__(self, reader: Reader, cases: Cases) -> None:
        self._reader = reader
        self._cases = cases

    async def find(
        self, session_id: UUID, gap_timeout: timedelta, loaded: Collection[str] | None = None
    ) -> WhyView | None:
        """Why one session stands as it does, or None if it is unknown; `loaded` are the subscribers there are."""
        case = await self._cases.find(session_id)
        if case is None:
            return None
        return _view(case, explain(case, Circumstances(self._reader.clock(), gap_timeout, loaded)))


def _view(case: Case, why: Why) -> WhyView:
    return WhyView(
        session_id=case.session_id,
        state=case.state,
        summary=[str(sentence) for sentence in why.summary],
        events=[_event(event, why) for event in case.events],
        callbacks=[
            CallbackWhyView(each.callback_id, each.subscriber, each.status, str(why.callbacks[each.callback_id]))
            for each in case.callbacks
        ],
    )


def _event(event: CaseEvent, why: Why) -> EventWhyView:
    sentences = [why.events[event.arrival]]
    if event.arrival in why.repeats:
        sentences.append(why.repeats[event.arrival])
    return EventWhyView(event.event_id, event.sequence, event.disposition, " ".join(map(str, sentences)))
