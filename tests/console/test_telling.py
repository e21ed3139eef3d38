"""What is told of a session, to whom, and when it has become something else."""

import json
from dataclasses import replace
from uuid import UUID

import forge
from databases import Clock
from happenings import happen
from situations import GAP_TIMEOUT, Circumstances, attempt, callback, ended, explain
from statekeeper.console import telling
from statekeeper.console.disclosure import for_readers
from statekeeper.console.evidence import Evidence, gather
from statekeeper.console.telling import MOST, Telling, tell
from statekeeper.explanation.case import CaseAct, CaseEvent
from statekeeper.trust.archive import Flaw
from visits import Person

CLOCK = Clock()


def told(case, now=None) -> Telling:
    why = explain(case, Circumstances(now or CLOCK(), GAP_TIMEOUT))
    return Telling(case, why, case.events, claimed=True)


def test_time_alone_changes_nothing():
    case = ended().case()
    assert told(case).same(told(case, CLOCK.now.replace(year=2027)))
    assert not told(case).same(None)


def test_an_attempt_is_something_else():
    before = ended().case(callbacks=(callback(due_at="09:00"),))
    after = ended().case(callbacks=(callback(due_at="09:05", attempts=[attempt(1, "09:00")]),))
    assert not told(after).same(told(before))


def test_that_a_callback_falls_due_is_something_else():
    case = ended().case(callbacks=(callback(due_at="09:00"),))
    early, late = CLOCK.now.replace(hour=8, minute=59), CLOCK.now.replace(hour=9, minute=1)
    assert not told(case, late).same(told(case, early))


def test_a_reader_is_given_no_words_of_anybody():
    act = CaseAct(1, CLOCK(), "erika", "support", "console", "session.note", "10.0.0.1", None, "she called")
    spoke = replace(attempt(1, "09:00"), response="thank you")
    case = ended().case(acts=(act,), callbacks=(replace(callback(attempts=[spoke]), receipt="case 4711"),))
    case = replace(case, events=tuple(replace(each, token="a.b.c", jwk="{}") for each in case.events))
    shown = for_readers(case)
    assert {(each.token, each.jwk) for each in shown.events} == {("", None)}
    assert (shown.acts[0].actor, shown.acts[0].reason, shown.acts[0].origin) == ("erika", None, None)
    assert (shown.callbacks[0].receipt, shown.callbacks[0].attempts[0].response) == (None, None)
    assert shown.callbacks[0].attempts[0].detail == "HTTP 503"


def event(token: str) -> CaseEvent:
    jwk = json.dumps(forge.signer().jwk())
    return CaseEvent(1, "e1", "session.created", 1, "applied", CLOCK(), token=token, thumbprint="thumb", jwk=jwk)


def test_evidence_is_what_the_token_says_and_whether_it_verifies():
    evidence = gather(event(forge.token({"eventId": "Zoë"})))
    assert (evidence.flaw, evidence.kid, evidence.algorithm) == (None, "key-1", "RS256")
    assert '"eventId": "Zoë"' in evidence.claims
    assert json.loads(evidence.claims)["data"] == {"eventId": "Zoë"}


def test_what_is_no_token_is_evidence_of_nothing():
    evidence = gather(event("nonsense"))
    assert (evidence.flaw, evidence.kid, evidence.algorithm, evidence.claims) == (Flaw.NOT_A_TOKEN, None, None, "{}")


def test_half_a_letter_can_be_shown():
    evidence = gather(event(forge.token({"eventId": "\ud800"}, header={"note": "\udfff"})))
    assert "\\ud800" in evidence.claims
    evidence.claims.encode()


def test_whether_anything_has_changed_is_asked_without_a_look_at_any_token(monkeypatch):
    looked = []
    monkeypatch.setattr(telling, "gather", lambda event, **_: looked.append(event.arrival))
    case = ended().case()
    assert told(case).same(told(case))
    assert looked == []
    assert list(told(case).evidence) == looked == [1, 2]


def test_of_a_long_story_the_end_is_told_and_only_that_is_proved(monkeypatch):
    monkeypatch.setattr(telling, "gather", lambda event, *, claimed: Evidence(None, "", None, None, str(event.arrival)))
    many = MOST + 10
    late = tuple(CaseEvent(3 + each, f"e{each}", "unheard of", 3, "ignored", CLOCK()) for each in range(many))
    case = ended().case()
    seen = told(replace(case, events=case.events + late))
    assert len(seen.moments) == MOST
    assert (seen.earlier, seen.moments[-1].event.arrival) == (14, many + 2)
    assert list(seen.evidence) == [moment.event.arrival for moment in seen.moments]


async def test_a_reader_is_given_no_claims_whatever_a_template_shows(serving):
    async with serving() as service, Person(service, "https://localhost") as person:
        session = UUID(await happen(person, forge.story(1)[0]))
        parts = service.app.state.wiring
        (shown,) = (await tell(parts, session, claimed=True)).evidence.values()
        (hidden,) = (await tell(parts, session, claimed=False)).evidence.values()
    assert "eventId" in shown.claims
    assert hidden == replace(shown, claims="")
