"""The proof finds what is broken: each test that breaks the fold sees it."""

import pytest

from memory import said
from statekeeper.core import machine, proof
from statekeeper.core.machine import Disposition, Progress
from statekeeper.core.proof import Case, Report, Way, count, prove
from statekeeper.core.statechart import Edge, Statechart
from statekeeper.core.tellings import LONGEST_WALK, MOST_WALKS, Story, losses, orders, repetitions, stories
from statekeeper.resources import default_chart

IDNOW = default_chart()


def chart(initial, **states):
    finals = {target for moves in states.values() for target in moves.values()} - set(states)
    nodes = {state: {"on": moves} for state, moves in states.items()}
    return Statechart.compile(
        {"id": "chart", "initial": initial, "states": nodes | {final: {"type": "final"} for final in finals}}
    )


def line(length):
    """A chart that goes one way only."""
    return chart("s0", **{f"s{number}": {f"t{number}": f"s{number + 1}"} for number in range(length)})


RETURNING = chart(
    "pending",
    pending={"created": "open"},
    open={"processing": "working", "canceled": "canceled"},
    working={"verified": "verified", "reopened": "open", "beat": "working"},
)
AMBIGUOUS = chart("new", new={"a": "left", "b": "right"}, left={"end": "good"}, right={"end": "bad"})


def walks(of):
    """The stories without unknown events, as triggers."""
    return [" ".join(event.name for event in story.events) for story in stories(of) if None not in story.edges]


def story(length):
    events = tuple(said(number, "any") for number in range(1, length + 1))
    return Story(events, tuple(Edge("a", "any", "a") for _ in events))


def numbers(tellings):
    return [[event.sequence for event in arrivals] for arrivals in tellings]


class TestStories:
    def test_they_are_the_charts_own(self):
        ends = ["aborted", "completed", "error", "expired"]
        assert sorted(walks(IDNOW)) == [f"session.created session.{end}" for end in ends]

    def test_each_is_told_with_an_unknown_event_at_every_place(self):
        names = [[event.name for event in each.events] for each in stories(line(2))]
        assert names == [["t0", "t1"], ["unknown", "t0", "t1"], ["t0", "unknown", "t1"], ["t0", "t1", "unknown"]]

    def test_their_events_are_numbered_from_1(self):
        for each in stories(RETURNING):
            assert [event.sequence for event in each.events] == list(range(1, len(each.events) + 1))
            assert len(each.edges) == len(each.events)

    def test_an_unknown_name_is_one_that_the_chart_does_not_know(self):
        known = chart("s", s={"unknown": "t"}, t={"unknown!": "u"})
        assert [event.name for event in list(stories(known))[1].events] == ["unknown!!", "unknown", "unknown!"]

    def test_a_chart_that_leads_back_is_told_with_each_edge_once_at_most(self):
        assert walks(RETURNING)[-1].count("reopened") == 1
        assert "created processing beat reopened canceled" in walks(RETURNING)
        assert all(len(set(walk.split())) == len(walk.split()) for walk in walks(RETURNING))

    def test_every_edge_is_told_of_however_far_it_lies(self):
        far = LONGEST_WALK + 4
        assert walks(line(far)) == [" ".join(f"t{number}" for number in range(far))]

    def test_a_tangle_has_as_many_as_can_be_told(self):
        states = {
            f"s{here}": {f"{here}-{there}": f"s{there}" for there in range(6)} | {"end": "over"} for here in range(6)
        }
        tangle = chart("s0", **states)
        assert MOST_WALKS <= len(walks(tangle)) <= MOST_WALKS + len(tangle.edges)
        assert {edge for each in stories(tangle) for edge in each.edges if edge} == set(tangle.edges)


class TestTellings:
    def test_a_small_story_has_every_order(self):
        assert len(set(orders(story(5).events))) == 120
        assert numbers(orders(story(2).events)) == [[1, 2], [2, 1]]

    def test_a_longer_one_has_each_event_moved_to_the_front_behind_its_neighbour_and_to_the_end(self):
        told = numbers(orders(story(6).events))
        assert told[:2] == [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]
        for order in ([3, 1, 2, 4, 5, 6], [1, 2, 4, 3, 5, 6], [1, 2, 4, 5, 6, 3]):
            assert order in told
        assert all(sorted(order) == [1, 2, 3, 4, 5, 6] for order in told)
        assert len(told) == len({tuple(order) for order in told}) == 15

    def test_a_repetition_is_another_delivery_at_every_later_place(self):
        told = list(repetitions(story(2).events))
        assert numbers(told) == [[1, 1, 2], [1, 2, 1], [1, 2, 2]]
        assert [event.deliver_id for event in told[0]] == [None, "again", None]

    def test_of_a_longer_one_each_event_is_repeated_at_the_end(self):
        assert numbers(repetitions(story(6).events)) == [[1, 2, 3, 4, 5, 6, number] for number in range(1, 7)]

    def test_a_small_story_loses_every_part_of_it_in_every_order(self):
        told = numbers(losses(story(3)))
        assert told == [[1], [2], [3], [1, 2], [2, 1], [1, 3], [3, 1], [2, 3], [3, 2]]

    def test_a_longer_one_loses_neighbours(self):
        told = numbers(losses(story(6)))
        assert [1, 5, 6] in told
        assert [1, 3, 5, 6] not in told
        assert len(told) == 20

    def test_one_of_middling_length_loses_every_part_unless_an_unknown_event_hides_how_much(self):
        assert [1, 3, 5] in numbers(losses(story(5)))
        noisy = Story(story(5).events, (*story(5).edges[:2], None, *story(5).edges[3:]))
        assert [1, 3, 5] not in numbers(losses(noisy))
        assert [5, 1] in numbers(losses(noisy))


@pytest.mark.parametrize("of", [IDNOW, RETURNING, line(1), line(2), line(5), line(8)])
def test_a_sound_fold_and_a_clear_chart_have_no_fault(of):
    report = Report.of(prove(of))
    assert report.faults == ()
    assert report.checked == count(of) > 10


def test_progress_can_be_shown_case_by_case():
    cases = prove(IDNOW)
    assert [next(cases).way for _ in range(3)] == [Way.ORDER, Way.REPETITION, Way.REPETITION]


def test_a_chart_whose_lost_events_leave_its_end_open_is_found():
    report = Report.of(prove(AMBIGUOUS))
    assert {case.way for case in report.faults} == {Way.LOSS}
    assert "loss: b, end; arrived 2: ended in good, not in bad" in map(str, report.faults)


def test_a_case_without_fault_says_so():
    assert str(next(prove(line(1)))) == "order: t0; arrived 1: as it must be"


def faults(of=IDNOW):
    report = Report.of(prove(of))
    assert report.checked == count(of)
    return {case.way for case in report.faults}, " | ".join(map(str, report.faults))


class TestABrokenFold:
    def test_that_does_not_wait_is_found(self, monkeypatch):
        def impatient(_cursor, waiting):
            return tuple(waiting), ()

        monkeypatch.setattr(machine, "release", impatient)
        ways, text = faults()
        assert ways >= {Way.ORDER, Way.REPETITION}
        assert "the steps were to" in text

    def test_that_lets_the_last_one_through_first_is_found(self, monkeypatch):
        release = machine.release

        def backwards(cursor, waiting):
            run, held = release(cursor, waiting)
            return run[::-1], held

        monkeypatch.setattr(machine, "release", backwards)
        assert Way.ORDER in faults()[0]

    def test_that_never_lets_go_is_found(self, monkeypatch):
        def hold(_cursor, waiting):
            return (), tuple(waiting)

        monkeypatch.setattr(machine, "release", hold)
        ways, text = faults()
        assert ways == {Way.ORDER, Way.REPETITION, Way.LOSS}
        assert "is still held" in text
        assert "not to created, completed" in text
        assert "to nowhere" in text

    def test_that_counts_a_repetition_twice_is_found(self, monkeypatch):
        advance = machine.advance
        monkeypatch.setattr(
            proof, "advance", lambda chart, now, _known, event: advance(chart, now, machine.Known(), event)
        )
        ways, text = faults()
        assert ways == {Way.REPETITION}
        assert "number 1 was late" in text

    def test_that_takes_every_event_for_a_repetition_is_found(self, monkeypatch):
        monkeypatch.setattr(
            proof, "advance", lambda _c, now, _k, _e: Progress(now, now, disposition=Disposition.DUPLICATE)
        )
        assert faults()[0] == {Way.ORDER, Way.REPETITION, Way.LOSS}

    def test_that_goes_another_way_is_found(self, monkeypatch):
        monkeypatch.setattr(
            Statechart, "target", lambda _chart, state, _name: "error" if state == "created" else "created"
        )
        assert Way.ORDER in faults()[0]

    def test_that_infers_nothing_is_found(self, monkeypatch):
        monkeypatch.setattr(Statechart, "path", lambda *_: None)
        ways, text = faults()
        assert ways == {Way.LOSS}
        assert "ended in pending, not in completed" in text

    def test_that_infers_what_did_not_happen_is_found(self, monkeypatch):
        path = Statechart.path
        wrong = Edge("pending", "session.created", "expired")
        monkeypatch.setattr(Statechart, "path", lambda *asked: path(*asked) and (wrong,))
        ways, text = faults()
        assert ways == {Way.LOSS}
        assert "step 1 is not legal: session.created from pending to expired" in text

    def test_whose_history_breaks_off_is_found(self, monkeypatch):
        def forgetful(fold, path, _reason):
            fold.state, fold.contiguous = path[-1].target, False

        monkeypatch.setattr(machine._Fold, "infer", forgetful)
        text = faults()[1]
        assert "step 1 is not legal: session.completed from created to completed" in text

    def test_whose_steps_lead_elsewhere_is_found(self, monkeypatch):
        def silent(fold, _path, _reason):
            fold.state, fold.contiguous = "created", False

        monkeypatch.setattr(machine._Fold, "infer", silent)
        monkeypatch.setattr(
            machine._Fold, "turn", lambda fold, event, reason=None: fold.outcomes.update({event.event_id: 0})
        )
        assert "the steps lead to pending, but the state is created" in faults()[1]

    def test_that_hides_what_was_lost_is_found(self, monkeypatch):
        after = machine._Fold.after
        monkeypatch.setattr(machine._Fold, "after", lambda fold: machine.replace(after(fold), contiguous=True))
        ways, text = faults()
        assert ways == {Way.LOSS}
        assert "contiguous is True" in text

    def test_that_marks_what_was_not_lost_is_found(self, monkeypatch):
        after = machine._Fold.after
        monkeypatch.setattr(machine._Fold, "after", lambda fold: machine.replace(after(fold), contiguous=False))
        ways, text = faults()
        assert ways == {Way.ORDER, Way.REPETITION, Way.LOSS}
        assert "contiguous is False, not True" in text

    def test_that_goes_on_behind_the_end_is_found(self, monkeypatch):
        monkeypatch.setattr(Statechart, "is_final", lambda *_: False)
        ways, text = faults()
        assert Way.ORDER in ways
        assert "cursor is 3, not 2" in text

    def test_that_forgets_who_said_what_is_found(self, monkeypatch):
        monkeypatch.setattr(machine._Fold, "heed", lambda *_: None)
        assert "decided is Origin" in faults()[1]


def test_a_report_counts_cases_and_keeps_the_faulty():
    sound = Case(Way.ORDER, story(1), story(1).events)
    broken = Case(Way.LOSS, story(1), (), ("something", "else"))
    assert Report.of([]) == Report(0, ())
    assert Report.of([sound, broken, sound]) == Report(3, (broken,))
    assert str(broken) == "loss: any; arrived : something; else"
