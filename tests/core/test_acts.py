"""Acts are values that say themselves what is wrong with their reason."""

from uuid import UUID

import pytest

from statekeeper.core.acts import MAX_REASON, CloseGap, Note, Resend, Retry, require_reason
from statekeeper.core.errors import BodyRefused

KEY = UUID(int=1)
ACTS = (Retry, Resend, CloseGap, Note)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("reason", ["x", "x" * MAX_REASON, "Rückruf: Ticket 4711\nerledigt"])
def test_a_reason_is_a_text_that_every_store_can_keep(act, reason):
    require_reason(act(KEY, reason))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("reason", ["", " \n", "x" * (MAX_REASON + 1), "nul\x00", "\ud800"])
def test_any_other_is_refused_whoever_asks(act, reason):
    with pytest.raises(BodyRefused):
        act(KEY, reason)


@pytest.mark.parametrize("act", [Resend, CloseGap])
def test_what_takes_a_reason_does_not_go_without(act):
    with pytest.raises(BodyRefused, match="reason"):
        require_reason(act(KEY))


def test_a_note_says_that_it_is_the_text_that_is_missing():
    with pytest.raises(BodyRefused, match="text"):
        require_reason(Note(KEY))


def test_a_retry_needs_none():
    require_reason(Retry(KEY))
