"""What a user's callbacks file is written with: `on_terminal`, `GiveUp`, `RetryLater`.

The decorator hands the function back as it came and notes it under the module that it was written in. It starts
nothing and checks no state's name, since no chart is known yet: `handlers.load_handlers` does that, when the service
starts, for the modules that the settings name and for no others.
"""

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar, overload

from statekeeper.core.callbacks import SessionEnded
from statekeeper.core.subscribers import Subscriber

MAX_NAME: Final = 255
LONGEST_ORDER: Final = timedelta(days=3650)

Function = Callable[[SessionEnded], object]
Filter = str | Iterable[str] | None
F = TypeVar("F", bound=Callable[..., Any])


class GiveUp(Exception):
    """Raised by a callback function: this callback is hopeless. It is kept as dead, and sent again on request only."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)


class RetryLater(Exception):
    """Raised by a callback function: call me again in so many seconds, whatever the schedule says (ten years at most).

    It uses up an entry of the schedule as any failed attempt does.
    """

    def __init__(self, seconds: float) -> None:
        if not math.isfinite(seconds) or seconds < 0:
            message = f"RetryLater takes a finite number of seconds from 0 on, not {seconds!r}"
            raise ValueError(message)
        super().__init__(f"retry in {seconds:g} s")
        self.delay: Final = timedelta(seconds=min(seconds, LONGEST_ORDER.total_seconds()))


@dataclass(frozen=True, slots=True)
class Subscription:
    """A function and what it wants to be told."""

    subscriber: Subscriber
    function: Function


_registered: Final[dict[str, list[Subscription]]] = {}


@overload
def on_terminal(function: F, /) -> F: ...


@overload
def on_terminal(
    *states: str, environment: Filter = None, flow: Filter = None, name: str | None = None
) -> Callable[[F], F]: ...


def on_terminal(
    *states: Any, environment: Filter = None, flow: Filter = None, name: str | None = None
) -> Callable[..., Any]:
    """Have the function called once a session ends: in one of `states`, or in any terminal state if none is given.

    `environment` and `flow` (flowIds) take a text or several; a session whose own is unknown fits none. `name` is the
    subscriber's name in the store, `module:function` if it is not given: under a fixed name the function can be moved.
    The function is called at least once for each session, with `SessionEnded`; it is a plain one or an async one. A
    text that it returns, of up to 200 characters, is kept with the callback as its receipt.
    """
    if len(states) == 1 and callable(states[0]):
        function: Callable[..., Any] = states[0]
        return _registration((), environment, flow, name)(function)
    return _registration(states, environment, flow, name)


def _registration(states: tuple[str, ...], environment: Filter, flow: Filter, name: str | None) -> Callable[[F], F]:
    wanted = _texts("states", states or None), _texts("environment", environment), _texts("flow", flow)

    def register(function: F) -> F:
        _check_function(function)
        subscriber = Subscriber(_name(function, name), *wanted)
        _registered.setdefault(function.__module__, []).append(Subscription(subscriber, function))
        return function

    return register


def registered(module: str) -> tuple[Subscription, ...]:
    """What was decorated in this module and, where it is a package, in its modules: in the order of decoration."""
    within = f"{module}."
    return tuple(each for name, found in _registered.items() if f"{name}.".startswith(within) for each in found)


def forget(module: str) -> None:
    """Drop what this module noted, because it is about to be run again or could not be run."""
    _registered.pop(module, None)


def _texts(what: str, said: Filter) -> frozenset[str]:
    if said is None:
        return frozenset()
    texts: list[Any] = [said] if isinstance(said, str) else list(said)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        message = f"on_terminal: {what} takes texts, at least one and none of them empty"
        raise TypeError(message)
    return frozenset(texts)


def _check_function(function: Any) -> None:  # noqa: ANN401 -- it may be anything
    """A generator function does nothing when it is called, so that its callbacks would be delivered to nobody."""
    if not callable(function) or not hasattr(function, "__name__"):
        message = "on_terminal decorates a function, written with def"
        raise TypeError(message)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        message = "on_terminal: the function must not yield"
        raise TypeError(message)


def _name(function: Callable[..., Any], given: str | None) -> str:
    name: Any = f"{function.__module__}:{function.__name__}" if given is None else given
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        message = f"on_terminal: name takes a printable text of 1 to {MAX_NAME} characters"
        raise ValueError(message)
    return name
