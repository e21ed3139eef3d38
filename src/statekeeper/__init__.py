"""Statekeeper: verified webhooks in, trustworthy session states and durable callbacks out.

This is the public face. Each name is imported when somebody asks for it: a callbacks file wants little, `create_app`
needs the whole service, and the command line must be quick to hear a signal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from statekeeper.app import create_app
    from statekeeper.core.callbacks import SessionEnded
    from statekeeper.core.events import LastStep
    from statekeeper.delivery.registry import GiveUp, RetryLater, on_terminal

    __version__: str

__all__ = ["GiveUp", "LastStep", "RetryLater", "SessionEnded", "__version__", "create_app", "on_terminal"]
_PLACES: Final = {
    "GiveUp": "delivery.registry",
    "LastStep": "core.events",
    "RetryLater": "delivery.registry",
    "SessionEnded": "core.callbacks",
    "create_app": "app",
    "on_terminal": "delivery.registry",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
