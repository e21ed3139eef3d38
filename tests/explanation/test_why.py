"""Whatever befalls a session, there is something to be said of it: one or two sentences, and one for each thing."""

from itertools import chain, combinations, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import again, said
from situations import Situation, at, attempt, callback, in_words
from statekeeper.core.health import Health
from statekeeper.explanation.fates import BEHIND_THE_END, NO_TRANSITION
from statekeeper.resources import default_chart
from tales import charts, tales

IDNOW = default_chart()
STORIES = [
    [said(1, "session.created"), said(2, "session.completed"), said(3, "session.expired")],
    [said(1, "session.created"), said(2, "unknown"), said(3, "session.created"), said(4, "session.aborted")],
    [said(1, "session.created"), said(2, "session.completed", "other"), said(2, "session.aborted"), said(3, "x")],
]
CALLBACKS = st.lists(
    st.builds(
        callback,
        st.sampled_from(["crm", "mail"]),
        st.sampled_from(["created", "completed"]),
        st.sampled_from(["pending", "delivered", "dead"]),
        st.integers(1, 3),
        st.lists(
            st.builds(
                attempt, st.integers(1, 3), st.just("08:35"), st.sampled_from(["failed", "gave_up", "delivered"])
            ),
            max_size=2,
        ),
        due_at=st.sampled_from(["08:00", "10:00"]),
    ),
    unique_by=lambda each: each.callback_id,
    max_size=4,
)
HEALTHS = st.sampled_from(
    [
        {},
        {"crm": Health(1, at("08:00"))},
        {"crm": Health(20, at("08:00"), at("08:00"), at("10:00"))},
        {"crm": Health(20, at("08:00"), at("08:00"), at("10:00"), at("09:00"))},
        {"crm": Health(disabled_at=at("08:00"))},
    ]
)


def check(situation, loaded=None, **changes):
    """There is something to be said of everything, and where a step is called illegal it is."""
    case, why = situation.case(**changes), situation.why(loaded=loaded, **changes)
    assert len(why.summary) in {1, 2}
    assert list(why.events) == [event.arrival for event in case.events]
    assert set(why.repeats) == {event.arrival for event in case.events if event.repeats}
    assert list(why.callbacks) == [each.callback_id for each in case.callbacks]
    for sentence in chain(why.summary, why.events.values(), why.repeats.values(), why.callbacks.values()):
        text = in_words(sentence)
        assert text.endswith(".")
        assert "{" not in text
        assert "None" not in text
    for sentence in why.events.values():
        if sentence.text == NO_TRANSITION:
            assert case.chart.target(sentence.values["state"], sentence.values["name"]) is None
        if sentence.text == BEHIND_THE_END:
            assert sentence.values["last"] in case.applied


@pytest.mark.parametrize("story", STORIES)
def test_every_part_of_a_story_in_every_order_with_gaps_closed_at_every_moment_is_explained(story):
    parts = chain.from_iterable(combinations(story, size) for size in range(1, len(story) + 1))
    for order in chain.from_iterable(map(permutations, parts)):
        for closed in product([False, True], repeat=len(order)):
            situation = Situation()
            for event, close in zip(order, closed, strict=True):
                situation.hear("08:35", event)
                if close:
                    situation.close_gap("08:36")
                check(situation)


@given(st.data())
def test_any_tale_by_any_chart_is_explained_whatever_became_of_its_callbacks(data):
    chart = data.draw(st.one_of(st.just(IDNOW), charts()))
    tale = data.draw(tales(chart, max_size=12))
    names, flows = st.sampled_from([*sorted(chart.triggers), "unheard-of"]), st.sampled_from([None, "other"])
    others = st.builds(said, st.integers(1, 16), names, st.just("x"), flow_id=flows)
    moves = st.one_of(st.sampled_from(tale), st.sampled_from(tale).map(again), others, st.none())
    situation = Situation(chart)
    for minute, move in enumerate(data.draw(st.lists(moves, min_size=1, max_size=25))):
        if move is None:
            situation.close_gap(f"08:{minute}")
        else:
            situation.hear(f"08:{minute}", move)
    callbacks = tuple(data.draw(CALLBACKS))
    loaded = data.draw(st.sampled_from([None, (), ("crm", "mail")]))
    check(situation, callbacks=callbacks, healths=data.draw(HEALTHS), loaded=loaded)
