"""What a callbacks file is written with."""

import functools
import math
import sys
from datetime import timedelta

import pytest

from statekeeper.delivery.registry import LONGEST_ORDER, GiveUp, RetryLater, forget, on_terminal, registered


@pytest.fixture(autouse=True)
def _forget():
    yield
    forget(__name__)


def subscribers():
    return [each.subscriber for each in registered(__name__)]


def test_the_bare_decorator_subscribes_to_every_state_and_leaves_the_function_as_it_was():
    def hear(ended): ...

    assert on_terminal(hear) is hear
    (subscriber,) = subscribers()
    assert subscriber.name == f"{__name__}:hear"
    assert not subscriber.states
    assert not subscriber.environments
    assert not subscriber.flows
    assert registered(__name__)[0].function is hear


def test_the_filters_take_one_text_or_several():
    @on_terminal("completed", "expired", environment="live", flow=["f1", "f2"], name="crm")
    async def hear(ended): ...

    (subscriber,) = subscribers()
    assert subscriber.name == "crm"
    assert subscriber.states == {"completed", "expired"}
    assert subscriber.environments == {"live"}
    assert subscriber.flows == {"f1", "f2"}


def test_the_decorator_without_states_but_with_brackets_subscribes_to_every_state():
    @on_terminal()
    def hear(ended): ...

    @on_terminal(environment="live")
    def listen(ended): ...

    assert [subscriber.states for subscriber in subscribers()] == [frozenset(), frozenset()]


def test_functions_are_kept_in_the_order_of_decoration():
    for name in ("one", "two", "three"):
        on_terminal(name=name)(lambda ended: None)
    assert [subscriber.name for subscriber in subscribers()] == ["one", "two", "three"]


def test_a_package_has_the_functions_of_its_modules_and_of_no_other():
    def hear(ended): ...

    for module in ("shop", "shop.kyc", "shopping"):
        hear.__module__ = module
        on_terminal(hear)
    try:
        assert [each.subscriber.name for each in registered("shop")] == ["shop:hear", "shop.kyc:hear"]
        assert [each.subscriber.name for each in registered("shop.kyc")] == ["shop.kyc:hear"]
    finally:
        for module in ("shop", "shop.kyc", "shopping"):
            forget(module)


@pytest.mark.parametrize("filters", [{"environment": []}, {"flow": ["f1", 2]}, {"environment": ""}])
def test_a_filter_that_is_no_text_or_empty_is_refused(filters):
    with pytest.raises(TypeError, match="takes texts"):
        on_terminal(**filters)


def test_a_state_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match="states takes texts"):
        on_terminal("completed", 7)


@pytest.mark.parametrize("name", ["", "x" * 256, "two\nlines", 7])
def test_a_name_that_the_store_could_not_keep_is_refused(name):
    with pytest.raises(ValueError, match="name takes a printable text"):
        on_terminal(name=name)(lambda ended: None)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="decorates a function"):
        on_terminal("completed")("not a function")
    with pytest.raises(TypeError, match="decorates a function"):
        on_terminal(functools.partial(print))


def test_a_function_that_yields_is_refused_since_a_call_would_do_nothing():
    def generator(ended):
        yield

    async def async_generator(ended):
        yield

    for function in (generator, async_generator):
        with pytest.raises(TypeError, match="must not yield"):
            on_terminal(function)


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
def test_retry_later_takes_a_time_that_can_come(seconds):
    with pytest.raises(ValueError, match="finite number of seconds"):
        RetryLater(seconds)


def test_retry_later_keeps_the_delay_within_what_a_calendar_can_hold():
    assert RetryLater(0.5).delay == timedelta(seconds=0.5)
    assert RetryLater(sys.float_info.max).delay == LONGEST_ORDER


def test_give_up_may_go_without_a_reason():
    assert str(GiveUp()) == ""
    assert str(GiveUp("no such customer")) == "no such customer"
