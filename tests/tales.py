"""Charts and tales at random, for Hypothesis: any legal chart, and what a sender could say of one session by it."""

from hypothesis import strategies as st

from memory import ended_at, said
from statekeeper.core.statechart import Statechart

TRIGGERS = ["go", "stop", "turn", "wait", "end"]
NAMES = [*TRIGGERS, "unheard-of"]


@st.composite
def charts(draw):
    """A legal chart of up to 6 states; the same trigger may lead from many of them, back, and to where it began."""
    inner = [f"s{number}" for number in range(draw(st.integers(1, 4)))]
    states = [*inner, "done", "failed"]
    on = {}
    for number, state in enumerate(inner):
        onward = inner[number + 1] if number + 1 < len(inner) else "done"
        others = draw(st.dictionaries(st.sampled_from(TRIGGERS), st.sampled_from(states), max_size=3))
        on[state] = {**others, draw(st.sampled_from(TRIGGERS)): onward}
    reached = {target for moves in on.values() for target in moves.values()}
    document = {state: {"on": moves} for state, moves in on.items()}
    document |= {state: {"type": "final"} for state in ("done", "failed") if state in reached}
    return Statechart.compile({"id": "any", "initial": "s0", "states": document})


@st.composite
def tales(draw, chart, max_size=40):
    """Events numbered from 1, mostly a walk through the chart, with anything in between and behind the end."""
    state, events = chart.initial, []
    for number in range(1, draw(st.integers(1, max_size)) + 1):
        exits = [edge for edge in chart.edges if edge.source == state]
        name = draw(st.sampled_from([edge.trigger for edge in exits] * 3 + [*sorted(chart.triggers), "unheard-of"]))
        state = chart.target(state, name) or state
        events.append(draw(_event(number, name)))
    return events


def _event(number, name):
    """Flow, environment and last step may be missing; where they are said, they agree."""
    return st.builds(
        said,
        st.just(number),
        st.just(name),
        flow_id=st.sampled_from([None, "flow"]),
        environment=st.sampled_from([None, "live"]),
        session_status=st.sampled_from([None, "RUNNING"]),
        last_step=st.sampled_from([None, ended_at(f"step-{number}")]),
    )
