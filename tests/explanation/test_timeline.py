"""Timelines of stories that the write side wrote: what is said, in which order, and of which things."""

from dataclasses import replace
from datetime import timedelta

import pytest

from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.explanation.case import CaseAct
from statekeeper.explanation.timeline import Kind, Tone, timeline
from statekeeper.store import dead_letters
from stores import SESSION, Store, arrival


@pytest.fixture
def engine_name():
    """One engine will do: both answer with the same case."""
    return "sqlite"


@pytest.fixture
def store(database, clock):
    return Store(database, clock, Subscriber("crm"))


async def case_of(store):
    return await store.queries.cases.find(SESSION)


async def told(store):
    return told_of(await case_of(store))


def told_of(case):
    return [str(moment.what) for moment in timeline(case)]


def by_hand(number, act, at, **more):
    return CaseAct(number, at, "ada", "support", "console", act, **more)


async def test_a_story_in_order_is_an_arrival_and_its_step_each_and_then_who_is_told(store):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    assert await told(store) == [
        "session.created, number 1, arrived in its turn and took effect.",
        "pending became created, by session.created.",
        "session.completed, number 2, arrived in its turn and took effect.",
        "created became completed, by session.completed.",
        "A callback about completed was owed to crm.",
    ]


async def test_a_moment_says_what_it_is_about(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "error"))
    at = clock.now
    clock.advance(1)
    await store.settle("crm", Attempt(Outcome.DELIVERED, clock.now, 7), Delivered())
    case = await case_of(store)
    came, step, *_, owed, tried = timeline(case)
    assert (came.kind, came.tone, came.at, came.event) == (Kind.ARRIVAL, Tone.GOOD, at, case.events[0])
    assert (step.kind, step.tone, step.step) == (Kind.STEP, Tone.PLAIN, case.steps[0])
    assert (owed.kind, owed.tone, owed.callback) == (Kind.CALLBACK, Tone.PLAIN, case.callbacks[0])
    assert (tried.kind, tried.tone, tried.attempt) == (Kind.ATTEMPT, Tone.GOOD, case.callbacks[0].attempts[0])
    assert tried.callback is case.callbacks[0]
    assert (came.step, came.callback, came.attempt, came.act, step.event) == (None,) * 5
    assert str(tried.what) == "Attempt 1 delivered the callback to crm."


async def test_an_end_is_looked_at_as_what_it_is(store):
    await store.take(arrival(1, "created"), arrival(2, "error"))
    assert [moment.tone for moment in timeline(await case_of(store)) if moment.step] == [Tone.PLAIN, Tone.BAD]


async def test_every_repeat_is_with_its_event(store, clock):
    for _ in range(3):
        await store.take(arrival(1, "created"))
        clock.advance(1)
    came, _ = timeline(await case_of(store))
    assert len(came.event.repeats) == 2


async def test_an_early_event_waits_and_shows_what_is_missing(store, clock):
    await store.take(arrival(3, "aborted"))
    assert await told(store) == [
        "session.aborted, number 3, arrived early and waits for its turn.",
        "Numbers 1 to 2 were missing when number 3 came.",
    ]
    gap = timeline(await case_of(store))[1]
    assert (gap.kind, gap.tone, gap.event.sequence) == (Kind.GAP, Tone.WAITING, 3)
    clock.advance(1)
    await store.take(arrival(2, "other"), arrival(1, "created"))
    assert (await told(store))[2:] == [
        "session.other, number 2, arrived early and waited; the chart does not know it, so that it had no effect.",
        "session.created, number 1, arrived in its turn and took effect.",
        "pending became created, by session.created.",
        "created became aborted, by session.aborted.",
        "A callback about aborted was owed to crm.",
    ]
    assert (await told(store))[0] == "session.aborted, number 3, arrived early, waited, and took effect in its turn."


async def test_a_gap_given_up_on_explains_the_step_inferred_and_a_late_event_confirms_it(store, clock):
    await store.take(arrival(2, "completed"))
    held_at = clock.now
    await store.give_up()
    closed_at = held_at + timedelta(seconds=30)
    assert await told(store) == [
        "session.completed, number 2, arrived early, waited, and took effect in its turn.",
        "Number 1 was missing when number 2 came.",
        "Number 1 was given up on.",
        "pending must have become created, by session.created: inferred, as number 1 was given up on.",
        "created became completed, by session.completed.",
        "A callback about completed was owed to crm.",
    ]
    assert [moment.at for moment in timeline(await case_of(store))] == [held_at] * 2 + [closed_at] * 4
    await store.take(arrival(1, "created"))
    late = timeline(await case_of(store))[-1]
    assert str(late.what) == (
        "session.created, number 1, arrived after its number had been given up on, and confirmed the inferred step "
        "from pending to created."
    )
    assert (late.kind, late.tone, late.event.disposition) == (Kind.ARRIVAL, Tone.GOOD, "late")


async def test_numbers_given_up_on_are_said_together(store):
    await store.take(arrival(4, "completed"))
    await store.give_up()
    assert "Numbers 1 to 3 were given up on." in await told(store)
    assert (
        "pending must have become created, by session.created: inferred, as numbers 1 to 3 were given up on."
        in await told(store)
    )


async def test_two_gaps_of_one_sweep_stand_each_before_what_was_done_without_it(store):
    await store.take(arrival(2, "created"), arrival(4, "completed"))
    await store.give_up()
    assert (await told(store))[2:] == [
        "session.completed, number 4, arrived early, waited, and took effect in its turn.",
        "Number 3 was missing when number 4 came.",
        "Number 1 was given up on.",
        "pending became created, by session.created.",
        "Number 3 was given up on.",
        "created became completed, by session.completed.",
        "A callback about completed was owed to crm.",
    ]


async def test_of_a_gap_that_left_no_step_only_a_bound_is_said(store, clock):
    await store.take(arrival(1, "created"), arrival(3, "other"))
    await store.give_up()
    closed = timeline(await case_of(store))[-1]
    assert str(closed.what) == "By now number 2 had been given up on."
    assert closed.at == (await case_of(store)).updated_at
    await store.take(arrival(4, "completed"))
    assert (await told(store))[4:6] == [
        "By now number 2 had been given up on.",
        "session.completed, number 4, arrived in its turn and took effect.",
    ]


async def test_a_lost_event_that_comes_after_all_takes_effect(store):
    await store.take(arrival(1, "created"), arrival(3, "other"))
    await store.give_up()
    await store.take(arrival(2, "completed"))
    assert (await told(store))[-4:] == [
        "By now number 2 had been given up on.",
        "session.completed, number 2, arrived after its number had been given up on, and took effect after all.",
        "created became completed, by session.completed.",
        "A callback about completed was owed to crm.",
    ]


async def test_a_late_event_of_no_use_is_kept(store):
    await store.take(arrival(1, "created"), arrival(3, "completed"))
    await store.give_up()
    await store.take(arrival(2, "other"))
    assert (await told(store))[-1] == (
        "session.other, number 2, arrived after its number had been given up on: kept, without effect."
    )


async def test_an_end_that_came_first_has_the_steps_before_it_inferred(store):
    await store.take(arrival(1, "expired"))
    assert (await told(store))[:3] == [
        "session.expired, number 1, arrived in its turn and took effect.",
        "pending must have become created, by session.created: inferred, as session.expired came before it.",
        "created became expired, by session.expired.",
    ]


async def test_what_has_no_effect_says_why(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "created"), arrival(3, "other"))
    clock.advance(1)
    await store.take(arrival(1, "aborted"), arrival(4, "completed"))
    await store.take(arrival(9, "error"), arrival(5, "other"))
    arrivals = [moment for moment in timeline(await case_of(store)) if moment.kind is Kind.ARRIVAL]
    assert [(str(moment.what).partition(", arrived")[2], moment.tone) for moment in arrivals] == [
        (" in its turn and took effect.", Tone.GOOD),
        (", but the chart has no such step from the state at that time: no effect.", Tone.BAD),
        ("; the chart does not know it, so that it had no effect.", Tone.PLAIN),
        (" and contradicts what came before it: kept, without effect.", Tone.BAD),
        (" in its turn and took effect.", Tone.GOOD),
        (" after the end, where nothing can follow: no effect.", Tone.PLAIN),
        (" after the end; the chart does not know it: no effect.", Tone.PLAIN),
    ]
    assert not [moment for moment in timeline(await case_of(store)) if moment.kind is Kind.GAP]


async def test_what_waited_for_an_end_is_rejected_by_it(store):
    await store.take(arrival(4, "error"), arrival(1, "created"), arrival(2, "completed"))
    assert (await told(store))[:2] == [
        "session.error, number 4, arrived early and waited, but in its turn the chart had no such step: no effect.",
        "Numbers 1 to 3 were missing when number 4 came.",
    ]


async def test_every_step_has_its_own_callbacks_behind_it(database, clock):
    store = Store(database, clock, Subscriber("steps", scope=Scope.ALL), Subscriber("crm"))
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    assert [str(moment.what) for moment in timeline(await case_of(store)) if moment.callback] == [
        "A callback about created was owed to steps.",
        "A callback about completed was owed to crm.",
        "A callback about completed was owed to steps.",
    ]
    assert [moment.kind for moment in timeline(await case_of(store))][:3] == [Kind.ARRIVAL, Kind.STEP, Kind.CALLBACK]


async def test_attempts_say_what_became_of_them(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    for outcome, detail, verdict in [
        (Outcome.FAILED, None, RetryAt(clock.now)),
        (Outcome.FAILED, "HTTP 503", RetryAt(clock.now)),
        (Outcome.FAILED, "interrupted", RetryAt(clock.now)),
        (Outcome.FAILED, "HTTP 500", Dead()),
    ]:
        await store.settle("crm", Attempt(outcome, clock.advance(1), 5, detail), verdict)
    tried = [moment for moment in timeline(await case_of(store)) if moment.attempt]
    assert {moment.tone for moment in tried} == {Tone.BAD}
    assert [str(moment.what) for moment in tried] == [
        "Attempt 1 at crm failed.",
        "Attempt 2 at crm failed: HTTP 503.",
        "Attempt 3 at crm was interrupted: nobody knows whether it arrived.",
        "Attempt 4 at crm failed: HTTP 500. It was the last: the callback is dead.",
    ]


async def test_the_last_attempt_before_a_subscriber_was_removed_was_not_meant_to_be_the_last(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    await store.settle("crm", Attempt(Outcome.FAILED, clock.advance(1), 5, "HTTP 503"), RetryAt(clock.now))
    await store.run(lambda c, now: dead_letters.bury(c, "crm", 500, now))
    case = await case_of(store)
    assert [str(each.what) for each in timeline(case) if each.attempt] == ["Attempt 1 at crm failed: HTTP 503."]
    (buried,) = [each for each in case.callbacks if each.subscriber == "crm"]
    assert (buried.status, buried.buried_at) == ("dead", clock.now)


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("no account", "crm gave up on the callback at attempt 1: no account. It is dead."),
        (None, "crm gave up on the callback at attempt 1. It is dead."),
    ],
)
async def test_a_subscriber_that_gives_up_says_so(store, clock, detail, said):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    await store.settle("crm", Attempt(Outcome.GAVE_UP, clock.now, 5, detail), Dead())
    assert (await told(store))[-1] == said


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("no account", "crm gave up on the callback at attempt 1: no account."),
        (None, "crm gave up on the callback at attempt 1."),
    ],
)
async def test_a_callback_that_was_given_up_on_and_tried_again_is_not_said_to_be_dead(store, clock, detail, said):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    await store.settle("crm", Attempt(Outcome.GAVE_UP, clock.now, 5, detail), Dead())
    case = await case_of(store)
    revived = replace(case, callbacks=tuple(replace(each, status="pending") for each in case.callbacks))
    assert told_of(revived)[-1] == said


async def test_an_attempt_by_a_clock_that_is_behind_stands_behind_what_it_is_an_attempt_at(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    early = clock.now - timedelta(seconds=2)
    await store.settle("crm", Attempt(Outcome.DELIVERED, early, 5), Delivered())
    *_, owed, tried = timeline(await case_of(store))
    assert (tried.kind, tried.at, tried.attempt.at) == (Kind.ATTEMPT, owed.at, early)


async def test_a_callback_made_up_for_stands_where_it_was_written(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    case = await case_of(store)
    later = replace(case.callbacks[0], created_at=clock.advance(60))
    *_, owed = timeline(replace(case, callbacks=(later,)))
    assert (str(owed.what), owed.at) == ("A callback about completed, once missed, was owed to crm.", clock.now)


@pytest.mark.parametrize(
    ("act", "reason", "said"),
    [
        ("callback.retry", "they are back", "ada had the callback to crm tried again: they are back"),
        ("callback.retry", None, "ada had the callback to crm tried again."),
        ("callback.resend", "lost there", "ada had the delivered callback sent to crm again: lost there"),
        ("session.note", "customer on the phone", "ada noted: customer on the phone"),
        ("session.close_gap", "will not come", "ada had the gap closed: will not come"),
        ("session.close_gap", None, "ada had the gap closed."),
        ("bless", "just so", "ada did bless: just so"),
        ("bless", None, "ada did bless."),
    ],
)
async def test_acts_of_people_are_said_with_their_reasons(store, clock, act, reason, said):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    case = await case_of(store)
    callback_id = case.callbacks[0].callback_id if act in {"callback.retry", "callback.resend"} else None
    done = by_hand(1, act, clock.advance(1), callback_id=callback_id, reason=reason)
    moment = timeline(replace(case, acts=(done,)))[-1]
    assert (moment.kind, str(moment.what), moment.act) == (Kind.ACT, said, done)
    assert (moment.callback is None) == (callback_id is None)


async def test_an_act_on_a_callback_that_is_not_here_is_still_said(store, clock):
    await store.take(arrival(1, "created"))
    case = await case_of(store)
    done = by_hand(1, "callback.retry", clock.now, reason="again")
    assert told_of(replace(case, acts=(done,)))[-1] == "ada did callback.retry: again"


async def test_a_gap_closed_by_hand_is_given_up_on_behind_the_act(store, clock):
    await store.take(arrival(2, "completed"))
    await store.give_up()
    case = await case_of(store)
    done = by_hand(1, "session.close_gap", case.ended_at, reason="will not come")
    assert told_of(replace(case, acts=(done,)))[2:4] == [
        "ada had the gap closed: will not come",
        "Number 1 was given up on.",
    ]


async def test_where_nothing_is_waited_for_nothing_is_said_to_have_waited(store):
    store.journal.gap_timeout = timedelta(0)
    await store.take(arrival(2, "completed"))
    assert (await told(store))[:3] == [
        "session.completed, number 2, arrived in its turn and took effect.",
        "Number 1 was missing when number 2 came.",
        "Number 1 was given up on.",
    ]
