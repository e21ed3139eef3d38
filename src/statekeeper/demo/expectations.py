"""What must be true when a day has been played, from the sender's stories and from what it was answered alone.

Nothing here asks the service; `verdict` holds against it what the service says.
"""

from collections.abc import Container
from dataclasses import dataclass
from uuid import UUID

from statekeeper.core.statechart import Statechart
from statekeeper.demo.subscribers import ENDPOINT, Notice
from statekeeper.simulator.stories import Day, Story


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must be: sessions, each with its state and its events, and notices; and which events are forged."""

    states: dict[UUID, str]
    events: dict[UUID, set[str]]
    notices: set[Notice]
    forged: set[str]

    @classmethod
    def of(cls, day: Day, taken: Container[str], chart: Statechart) -> "Expectations":
        """`taken` has the ids of the events that were answered 2xx."""
        known = [(story, state) for story in day.stories if (state := story.state_after(taken))]
        return cls(
            states={story.session_id: state for story, state in known},
            events={story.session_id: _events(story, taken) for story, _ in known},
            notices={notice for story, state in known if chart.is_final(state) for notice in _notices(story, state)},
            forged={each.event.event_id for story in day.stories for each in story.deliveries if each.forgery},
        )


def _events(story: Story, taken: Container[str]) -> set[str]:
    return {event.event_id for event in story.events if event.event_id in taken}


def _notices(story: Story, state: str) -> list[Notice]:
    """The endpoint and one function are told of every end, the other function of live sessions that completed."""
    names = [ENDPOINT, "note_every_end"]
    if (state, story.environment) == ("completed", "live"):
        names.append("open_account")
    return [Notice(name, story.session_id, state) for name in names]
