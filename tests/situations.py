"""What befell one session, told to the real fold, as the case that the store would make of it.

situation = Situation().hear("08:35", said(2, "session.completed"))
situation.why("08:36").summary      # sentences; `in_words` writes their times as they are written here
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid5

from memory import SESSION, MemorySession, said
from statekeeper.core.machine import Disposition
from statekeeper.core.statechart import Statechart
from statekeeper.explanation.case import Case, CaseAttempt, CaseCallback, CaseEvent, CaseStep, Circumstances, Repeat
from statekeeper.explanation.sentences import plain
from statekeeper.explanation.why import explain
from statekeeper.resources import default_chart

GAP_TIMEOUT = timedelta(minutes=1)
STAGES = Statechart.compile(
    {
        "id": "stages",
        "initial": "new",
        "states": {
            "new": {"on": {"open": "opened"}},
            "opened": {"on": {"read": "read"}},
            "read": {"on": {"weigh": "weighed"}},
            "weighed": {"on": {"accept": "accepted"}},
            "accepted": {"type": "final"},
        },
    }
)


def at(time):
    """A time of day, as `08:35`, `08:35:30`, or the datetime itself."""
    if isinstance(time, datetime):
        return time
    hour, minute, second = (*map(int, time.split(":")), 0)[:3]
    return datetime(2026, 1, 8, hour, minute, second, tzinfo=UTC)


def in_words(sentence):
    return sentence.said(lambda value: f"{value:%H:%M:%S}" if isinstance(value, datetime) else plain(value))


def in_all_words(sentences):
    return [in_words(sentence) for sentence in sentences]


def callback(subscriber="crm", state="completed", status="pending", ordinal=2, attempts=(), **times):
    key = uuid5(SESSION, f"{ordinal}:{subscriber}")
    times = {name: at(time) for name, time in times.items()}
    return CaseCallback(key, subscriber, ordinal, state, status, at("08:35"), attempts=tuple(attempts), **times)


def attempt(number, time, outcome="failed", detail="HTTP 503"):
    return CaseAttempt(number, at(time), 7, outcome, detail)


class Situation:
    """One session by a chart: events are heard, and gaps closed, at times that are given."""

    def __init__(self, chart=None):
        self.session = MemorySession(chart or default_chart())
        self.events: list[CaseEvent] = []
        self.digests: dict[tuple[str, bytes], int] = {}
        self.step_times: list[datetime] = []
        self.arrivals = 0

    def hear(self, time, *events):
        for event in events:
            disposition = self.session.hear(event)
            self.arrivals += 1
            key = event.event_id, event.digest
            if disposition is Disposition.DUPLICATE:
                self._repeat(self.digests[key], at(time))
            else:
                self.digests[key] = self.arrivals
                self.events.append(self._event(event, disposition, at(time)))
            self._date(at(time))
        return self

    def close_gap(self, time):
        self.session.close_gap()
        self._date(at(time))
        return self

    def case(self, **changes) -> Case:
        snapshot, events = self.session.snapshot, [self._as_it_became(event) for event in self.events]
        held = [event.received_at for event in events if event.disposition == "held"]
        first = events[0].received_at if events else at("08:00")
        case = Case(
            session_id=SESSION,
            chart=self.session.chart,
            state=snapshot.state,
            first_seen_at=first,
            updated_at=first,
            cursor=snapshot.cursor,
            contiguous=snapshot.contiguous,
            held=tuple(event.sequence for event in snapshot.held),
            applied=snapshot.applied,
            given_up=snapshot.given_up,
            inferred=snapshot.inferred,
            flow_id=snapshot.origin.flow_id,
            environment=snapshot.origin.environment,
            last_step=snapshot.last_step,
            held_since=min(held, default=None),
            events=tuple(events),
            steps=tuple(self._steps()),
        )
        return replace(case, **changes)

    def why(self, now="09:00", loaded=None, **changes):
        return explain(self.case(**changes), Circumstances(at(now), GAP_TIMEOUT, loaded))

    def summary(self, now="09:00", loaded=None, **changes):
        return in_all_words(self.why(now, loaded, **changes).summary)

    def fates(self, **changes):
        return in_all_words(self.why(**changes).events.values())

    def told(self, *callbacks, now="09:00", loaded=None, **changes):
        """The sentences about these callbacks."""
        return in_all_words(self.why(now, loaded, callbacks=callbacks, **changes).callbacks.values())

    def _event(self, event, disposition, time):
        facts = {name: getattr(event, name) for name in ("flow_id", "environment", "session_status", "last_step")}
        return CaseEvent(self.arrivals, event.event_id, event.name, event.sequence, disposition, time, **facts)

    def _repeat(self, arrival, time):
        index = next(index for index, event in enumerate(self.events) if event.arrival == arrival)
        event = self.events[index]
        self.events[index] = replace(event, repeats=(*event.repeats, Repeat(None, time)))

    def _date(self, time):
        self.step_times += [time] * (len(self.session.steps) - len(self.step_times))

    def _as_it_became(self, event):
        if event.disposition is Disposition.CONFLICT:
            return event
        return replace(event, disposition=self.session.became[event.event_id])

    def _steps(self):
        for step, time in zip(self.session.steps, self.step_times, strict=True):
            bearer = (step.event.event_id, step.event.sequence) if step.event else (None, None)
            moved = (step.ordinal, step.source, step.target, step.trigger, step.cause)
            yield CaseStep(*moved, time, *bearer, step.reason)


def ended(state="completed") -> Situation:
    """A session that went as it should."""
    return Situation().hear("08:34", said(1, "session.created")).hear("08:35", said(2, f"session.{state}"))


def told_of(kept, **circumstances):
    """The sentence about a callback of a session that has ended."""
    (sentence,) = ended().told(kept, **circumstances)
    return sentence
