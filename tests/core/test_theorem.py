"""The theorem: order and repetition decide nothing, as long as no gap is closed and no two events conflict.

Small stories are told in every way there is; large ones, through any chart, in ways that Hypothesis draws. What must
come out is computed by `foretell`, a naive reading that knows the whole tale at once and none of the code under test.
"""

from itertools import chain, combinations, permutations, product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import MemorySession, again, ended_at, said
from statekeeper.core.machine import Cause, Disposition
from statekeeper.resources import default_chart
from tales import charts, tales

IDNOW = default_chart()
EXAMPLES = settings().max_examples
TERMINALS = ["session.completed", "session.expired", "session.aborted", "session.error"]
SMALL_STORIES = [
    [said(1, "session.created", flow_id="flow"), said(2, "session.completed", environment="live")],
    [
        said(1, "session.created", environment="live", last_step=ended_at("one")),
        said(2, "session.verified", flow_id="flow", last_step=ended_at("two")),
        said(3, "session.aborted"),
        said(4, "session.completed", last_step=ended_at("four")),
    ],
    [said(1, "unknown"), said(2, "session.expired", last_step=ended_at("two")), said(3, "session.created")],
    [said(1, "session.created"), said(2, "session.created"), said(3, "session.error"), said(4, "unknown", flow_id="f")],
    [
        said(1, "session.created"),
        said(2, "unknown"),
        said(3, "unknown", environment="live"),
        said(4, "session.created"),
    ],
]


def subsets(events):
    return chain.from_iterable(combinations(events, size) for size in range(1, len(events) + 1))


class Foretold(NamedTuple):
    """What must come out, whatever the order."""

    state: str
    cursor: int
    held: list
    applied: list
    contiguous: bool
    last_step: object
    flow: tuple
    environment: tuple
    steps: list
    became: dict


def foretell(chart, arrivals):
    """Sort by number, fold by hand. Of flow and environment: what anybody said, and what was said up to the end."""
    table = {(edge.source, edge.trigger): edge.target for edge in chart.edges}
    by_number = {event.sequence: event for event in arrivals}
    state, cursor, steps, became, let_through, applied = chart.initial, 0, [], {}, [], []
    while cursor + 1 in by_number and state not in chart.finals:
        cursor += 1
        event = by_number[cursor]
        let_through.append(event)
        for source, trigger in [] if steps else lead_in(chart.initial, event.name, table):
            steps.append((source, table[source, trigger], trigger, Cause.INFERRED, None))
            state = table[source, trigger]
        if (state, event.name) in table:
            steps.append((state, table[state, event.name], event.name, Cause.EVENT, cursor))
            state = table[state, event.name]
            applied.append(event)
            became[cursor] = Disposition.APPLIED
        else:
            became[cursor] = unmoved(chart, event)
    for number in set(by_number) - set(became):
        became[number] = unmoved(chart, by_number[number]) if state in chart.finals else Disposition.HELD
    return Foretold(
        state=state,
        cursor=cursor,
        held=sorted(number for number in became if became[number] is Disposition.HELD),
        applied=[event.sequence for event in applied],
        contiguous=all(cause is Cause.EVENT for _, _, _, cause, _ in steps),
        last_step=next((event.last_step for event in reversed(applied) if event.last_step), None),
        flow=(any_of(event.flow_id for event in arrivals), any_of(event.flow_id for event in let_through)),
        environment=(
            any_of(event.environment for event in arrivals),
            any_of(event.environment for event in let_through),
        ),
        steps=steps,
        became=became,
    )


def unmoved(chart, event):
    return Disposition.REJECTED if event.name in {edge.trigger for edge in chart.edges} else Disposition.IGNORED


def any_of(texts):
    return next((text for text in texts if text is not None), None)


def lead_in(initial, name, table):
    """The shortest way to a state that allows `name`: every way is tried, the shorter and alphabetical ones first."""
    if name not in {trigger for _, trigger in table}:
        return []
    ways = [(initial, [])]
    for _ in table:
        for state, way in ways:
            if (state, name) in table:
                return way
        ways = [
            (table[source, trigger], [*way, (source, trigger)])
            for state, way in ways
            for source, trigger in sorted(table)
            if source == state
        ]
    raise AssertionError(name)


def came_out(session):
    snapshot = session.snapshot
    return Foretold(
        state=snapshot.state,
        cursor=snapshot.cursor,
        held=[event.sequence for event in snapshot.held],
        applied=list(snapshot.applied),
        contiguous=snapshot.contiguous,
        last_step=snapshot.last_step,
        flow=(snapshot.origin.flow_id, snapshot.decided.flow_id),
        environment=(snapshot.origin.environment, snapshot.decided.environment),
        steps=[
            (step.source, step.target, step.trigger, step.cause, step.event.sequence if step.event else None)
            for step in session.steps
        ],
        became={int(event_id.removeprefix("event-")): became for event_id, became in session.became.items()},
    )


def tell(chart, arrivals):
    session = MemorySession(chart)
    for event in arrivals:
        session.hear(event)
    return session


def everything(session):
    """All that a store writes and a receiver gets, to the last byte."""
    return session.snapshot, session.steps, session.owed, session.became


@pytest.mark.parametrize("story", SMALL_STORIES)
def test_every_order_and_every_repetition_of_a_small_story_comes_out_alike(story):
    for part in subsets(story):
        right = tell(IDNOW, part)
        assert came_out(right) == foretell(IDNOW, part)
        for order in permutations(part):
            assert everything(tell(IDNOW, order)) == everything(right)
            for event, place in product(order, range(len(order) + 1)):
                if place > order.index(event):
                    repeated = tell(IDNOW, [*order[:place], again(event), *order[place:]])
                    assert everything(repeated) == everything(right)


@pytest.mark.parametrize("story", SMALL_STORIES)
def test_every_loss_with_its_gaps_closed_at_every_moment_keeps_the_history_legal_and_the_end(story):
    """What `MemorySession` checks at every move, and that an end which came is never lost."""
    for part in subsets(story):
        for order in permutations(part):
            for closed in product([False, True], repeat=len(order)):
                session = MemorySession(IDNOW)
                for event, close in zip(order, closed, strict=True):
                    session.hear(event)
                    if close:
                        session.close_gap()
                session.close_gaps()
                assert session.terminal == any(event.name in TERMINALS for event in part)


@pytest.mark.parametrize("name", TERMINALS)
@pytest.mark.parametrize("noise", [(), (1,), (2,), (3,), (1, 3), (2, 3), (1, 2, 3)])
def test_the_first_end_that_comes_of_a_story_with_one_is_the_end_of_the_session(name, noise):
    """An end, the event before it lost or late, and others that are unknown around them."""
    names = ["session.created", name]
    for place in noise:
        names.insert(place - 1, "unknown")
    story = [said(number, told) for number, told in enumerate(names, 1)]
    end = names.index(name) + 1
    for order in permutations(story):
        for closed in product([False, True], repeat=len(order)):
            session = MemorySession(IDNOW)
            for event, close in zip(order, closed, strict=True):
                session.hear(event)
                if close:
                    session.close_gap()
            assert session.snapshot.state == name.removeprefix("session.")
            assert [step.target for step in session.steps] == ["created", session.snapshot.state]
            assert session.became[f"event-{end}"] is Disposition.APPLIED


@st.composite
def tellings(draw):
    """A chart, and a part of a tale by it in any order, with repetitions."""
    chart = draw(st.one_of(st.just(IDNOW), charts()))
    tale = draw(tales(chart))
    part = draw(st.lists(st.sampled_from(tale), unique_by=lambda event: event.sequence, max_size=len(tale)))
    return chart, draw(st.permutations([*part, *map(again, draw(st.lists(st.sampled_from(part or tale))))]))


@given(tellings())
@settings(max_examples=2 * EXAMPLES)
def test_any_tale_by_any_chart_comes_out_as_foretold(telling):
    chart, arrivals = telling
    first = {}
    for event in arrivals:
        first.setdefault(event.sequence, event)
    session = tell(chart, arrivals)
    assert came_out(session) == foretell(chart, first.values())
    assert came_out(session) == came_out(tell(chart, sorted(first.values(), key=lambda event: event.sequence)))


@given(st.data())
@settings(max_examples=2 * EXAMPLES)
def test_any_tale_whole_and_shuffled_gives_the_same_callbacks(data):
    chart = data.draw(st.one_of(st.just(IDNOW), charts()))
    tale = data.draw(tales(chart))
    assert everything(tell(chart, data.draw(st.permutations(tale)))) == everything(tell(chart, tale))


@given(st.data())
@settings(max_examples=2 * EXAMPLES)
def test_any_tale_with_gaps_closed_at_any_moment_has_a_legal_history(data):
    """Conflicts, losses, repetitions and closed gaps, anywhere: `MemorySession` checks every move."""
    chart = data.draw(st.one_of(st.just(IDNOW), charts()))
    tale = data.draw(tales(chart, max_size=15))
    names, flows = st.sampled_from([*sorted(chart.triggers), "unheard-of"]), st.sampled_from([None, "other"])
    others = st.builds(said, st.integers(1, 16), names, st.just("x"), flow_id=flows)
    moves = st.one_of(st.sampled_from(tale), st.sampled_from(tale).map(again), others, st.none())
    session = MemorySession(chart)
    for move in data.draw(st.lists(moves, max_size=40)):
        if move is None:
            session.close_gap()
        else:
            session.hear(move)
    session.close_gaps()
    assert Disposition.HELD not in session.became.values()


@given(st.permutations(range(1, 13)), st.lists(st.integers(0, 11)), st.sampled_from(TERMINALS), st.integers(2, 12))
def test_an_end_that_came_is_the_end_whatever_was_lost_around_it(order, closed, name, end):
    """By the provider's chart: `created`, unknown events, one end; gaps closed at any moment, any number missing."""
    session = MemorySession(IDNOW)
    for place, number in enumerate(order):
        if number == end:
            session.hear(said(number, name))
        elif place not in closed:
            session.hear(said(number, "session.created" if number == 1 else "unknown"))
        if place in closed:
            session.close_gap()
    session.close_gaps()
    assert session.snapshot.state == name.removeprefix("session.")
    assert session.became[f"event-{end}"] is Disposition.APPLIED
