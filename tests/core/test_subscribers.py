"""Subscribers by their options: the same words in the settings, over HTTP and in the store."""

from statekeeper.core.subscribers import Scope, Subscriber


def test_options_become_filters_scope_and_notices():
    options = {"states": ["aborted"], "environments": ["live"], "flows": ["a", "b"], "transitions": "all", "rate": 5}
    assert Subscriber.wanting("crm", options | {"notices": ["callback.dead"]}) == Subscriber(
        "crm",
        frozenset({"aborted"}),
        frozenset({"live"}),
        frozenset({"a", "b"}),
        Scope.ALL,
        frozenset({"callback.dead"}),
    )


def test_what_is_not_given_or_empty_fits_all_and_tells_of_ends():
    assert Subscriber.wanting("crm", {"states": [], "flows": None}) == Subscriber("crm", scope=Scope.TERMINAL)
