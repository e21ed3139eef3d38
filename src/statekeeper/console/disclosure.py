"""What a reader may see of a session: ids and states, who was told and when, and nothing that somebody wrote into it.

A page is made of what is left, so that no template can show by oversight what was never given to it. What keeps an
endpoint back, and what an attempt came to in a few words, tells of a subscriber and not of a session: readers have both
over the API as well.
"""

from dataclasses import replace

from statekeeper.explanation.case import Case, CaseAct, CaseCallback, CaseEvent


def for_readers(case: Case) -> Case:
    """The same session without tokens, answers of endpoints, receipts, and the words and addresses of people."""
    return replace(
        case,
        events=tuple(map(_event, case.events)),
        callbacks=tuple(map(_callback, case.callbacks)),
        acts=tuple(map(_act, case.acts)),
    )


def _event(event: CaseEvent) -> CaseEvent:
    return replace(event, token="", jwk=None)


def _callback(callback: CaseCallback) -> CaseCallback:
    attempts = tuple(replace(each, response=None) for each in callback.attempts)
    return replace(callback, attempts=attempts, receipt=None)


def _act(act: CaseAct) -> CaseAct:
    return replace(act, reason=None, origin=None)
