import inspect

import pytest

from statekeeper.core import errors
from statekeeper.core.errors import (
    AlreadyDelivered,
    Fault,
    NotAnEvent,
    NotAToken,
    NotFound,
    NotVerified,
    OperatorError,
    QueryRefused,
    SettingsError,
    StatechartError,
    StatekeeperError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
    WebhookRefused,
)

FAULTS = (Fault("states.open", "can never end"), Fault("initial", "must be a text"))


def test_every_exception_of_the_package_can_be_caught_as_one():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) > 10
    assert all(issubclass(kind, StatekeeperError) for kind in kinds)


def test_every_exception_stands_in_the_tree_at_the_head_of_the_file():
    kinds = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert [name for name in kinds if name not in (errors.__doc__ or "")] == []


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TooLarge(65536), 413, "too_large"),
        (UnsupportedMediaType("The body is encoded."), 415, "media_type"),
        (NotAToken("The body has no three parts."), 400, "not_a_token"),
        (NotVerified("The signature is wrong.", reason="signature", kid="key-1"), 401, "signature"),
        (NotAnEvent(FAULTS), 422, "not_an_event"),
    ],
)
def test_a_refusal_has_a_status_for_the_sender_and_a_word_for_the_metrics(error, status, reason):
    assert isinstance(error, WebhookRefused)
    assert (error.status, error.reason) == (status, reason)
    assert error.title
    assert str(error).endswith(".")


def test_a_key_id_is_kept_for_the_log_and_not_shown_to_the_sender():
    error = NotVerified("The key is not the issuer's.", reason="unknown_key", kid="key-1")
    assert error.kid == "key-1"
    assert "key-1" not in str(error)


def test_all_that_is_wrong_is_named_one_fault_a_line():
    assert NotAnEvent(FAULTS).faults == FAULTS
    assert str(SettingsError(FAULTS)) == "states.open: can never end\ninitial: must be a text"
    assert str(StatechartError(FAULTS)).splitlines()[1:] == [
        "  states.open: can never end",
        "  initial: must be a text",
    ]
    assert isinstance(SettingsError(FAULTS), OperatorError)


def test_what_a_client_asked_for_wrongly_is_named():
    assert QueryRefused("limit", "must be from 1 to 200").fault == Fault("limit", "must be from 1 to 200")
    assert str(NotFound("session", "fe1941c2")) == "No session fe1941c2 is known."
    assert "61a51c5b" in str(AlreadyDelivered("61a51c5b"))


def test_what_passes_says_when_to_come_again():
    error = Unavailable("The keys cannot be had.", reason="keys", retry_after=10)
    assert (error.reason, error.retry_after) == ("keys", 10)
    assert Unavailable("The queue is full.", reason="queue").retry_after > 0
