from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.events import LastStep, SessionEvent, read_event
from statekeeper.core.machine import Cause, Disposition, Known, Progress, Snapshot, Step, advance, close_gap
from statekeeper.resources import default_chart
from statekeeper.simulator.plots import Faults, tell
from statekeeper.simulator.stories import Delivery, Fault, Forgery, Story, StoryEvent

CHART = default_chart()
SENT_AT = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)
CREATED = StoryEvent("e1", "session.created", 1, at=0, status="RUNNING", written="1")
STEP = StoryEvent("e2", "session.step_completed", 2, at=60, status="RUNNING", written=2)
ENDED = StoryEvent(
    "e3", "session.completed", 3, at=120, status="COMPLETED", written="03", last_step={"lastStepId": "END-ACCEPT"}
)
ANY_FAULTS = st.builds(Faults, *[st.floats(0, 1)] * 6)


def story(*deliveries: Delivery, events: tuple[StoryEvent, ...] = (CREATED, STEP, ENDED)) -> Story:
    session_id = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
    return Story(session_id, "flow", "staging", "completed", events, deliveries)


class Service:
    """The fold, with the little memory that a store would give it."""

    def __init__(self, session_id: UUID) -> None:
        self.snapshot = Snapshot(session_id, CHART.initial)
        self.digests: dict[str, set[bytes]] = {}
        self.numbers: set[int] = set()
        self.steps: list[Step] = []

    def take(self, event: SessionEvent) -> Disposition:
        digests = self.digests.setdefault(event.event_id, set())
        unconfirmed = tuple(step for step in self.steps if step.event is None)
        known = Known(frozenset(digests), event.sequence in self.numbers, unconfirmed)
        progress = advance(CHART, self.snapshot, known, event)
        digests.add(event.digest)
        if progress.disposition is not Disposition.CONFLICT:
            self.numbers.add(event.sequence)
        self.keep(progress)
        return progress.disposition

    def close_gaps(self) -> None:
        while self.snapshot.held:
            self.keep(close_gap(CHART, self.snapshot))

    def keep(self, progress: Progress) -> None:
        self.snapshot = progress.after
        self.steps += progress.steps
        if confirmed := progress.confirmed:
            self.steps[confirmed.ordinal - 1] = confirmed

    @property
    def state(self) -> str | None:
        return self.snapshot.state if self.digests else None


def arrive(service: Service, told: Story, delivery: Delivery) -> Disposition:
    return service.take(read_event(told.data(delivery.event, delivery.attempt, SENT_AT)))


def is_legal(steps: list[Step]) -> bool:
    state = CHART.initial
    for step in steps:
        if step.source != state or CHART.target(state, step.trigger) != step.target:
            return False
        state = step.target
    return True


@given(st.integers(0, 2**32), ANY_FAULTS, st.data())
def test_played_through_the_fold_every_story_ends_where_it_says(seed: int, faults: Faults, data: st.DataObject):
    for told in tell(5, seed, faults).stories:
        service = Service(told.session_id)
        for delivery in told.deliveries:
            if delivery.arrives and not delivery.forgery:
                arrive(service, told, delivery)
                if data.draw(st.booleans()):
                    service.close_gaps()
        service.close_gaps()
        assert service.state == told.state
        assert is_legal(service.steps)


@given(st.integers(0, 2**32), st.data())
def test_whichever_events_were_sent_in_whichever_order_the_state_after_them_is_known(seed: int, data: st.DataObject):
    [told] = tell(1, seed, Faults().times(0)).stories
    sent = data.draw(st.lists(st.sampled_from(told.deliveries), unique_by=lambda delivery: delivery.event.event_id))
    service = Service(told.session_id)
    for delivery in sent:
        arrive(service, told, delivery)
    service.close_gaps()
    assert service.state == told.state_after({delivery.event.event_id for delivery in sent})


def test_without_faults_every_event_is_taken_in_its_turn():
    for told in tell(50, 7, Faults().times(0)).stories:
        service = Service(told.session_id)
        dispositions = {arrive(service, told, delivery) for delivery in told.deliveries}
        assert dispositions <= {Disposition.APPLIED, Disposition.IGNORED}
        assert all(step.cause is Cause.EVENT for step in service.steps)


def test_the_terminal_event_decides_where_the_session_must_be():
    assert story(Delivery(0, ENDED)).state == "completed"
    assert story(Delivery(0, CREATED), Delivery(0, STEP)).state == "created"
    assert story(Delivery(0, STEP)).state == "pending"
    assert story().state is None


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.DROPPED])
def test_what_does_not_arrive_moves_nothing(fault: Fault):
    assert story(Delivery(0, CREATED), Delivery(1, ENDED, fault=fault)).state == "created"


def test_what_is_forged_moves_nothing():
    forged = replace(Delivery(1, ENDED), fault=Fault.FORGED, forgery=Forgery.TAMPERED)
    assert story(Delivery(0, CREATED), forged).state == "created"


def test_a_webhook_reads_as_the_event_that_it_is():
    event = read_event(story().data(ENDED, 2, SENT_AT))
    assert (event.event_id, event.name, event.sequence) == ("e3", "session.completed", 3)
    assert (event.flow_id, event.environment, event.session_status) == ("flow", "staging", "COMPLETED")
    assert (event.deliver_id, event.sent_at, event.version) == ("2", SENT_AT, "1.0")
    assert event.last_step == LastStep("END-ACCEPT", None, None)


def test_the_last_step_can_stand_at_the_top():
    data = story().data(replace(ENDED, step_at_top=True), 1, SENT_AT)
    assert data["lastStepId"] == "END-ACCEPT"
    assert "lastStepId" not in data["payload"]
    assert read_event(data).last_step == LastStep("END-ACCEPT", None, None)


def test_a_repeat_states_the_same_facts():
    first, second = (story().data(ENDED, number, SENT_AT + timedelta(number)) for number in (1, 2))
    assert first["eventDeliverId"] != second["eventDeliverId"]
    assert read_event(first).digest == read_event(second).digest
