"""Statekeeper: verified webhooks in, trustworthy session states and durable callbacks out.

This is the public face. A callbacks file imports it, so that it loads little: `create_app`, which needs the whole
service, is imported when somebody asks for it.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from statekeeper.core.callbacks import SessionEnded
from statekeeper.core.events import LastStep
from statekeeper.delivery.registry import GiveUp, RetryLater, on_terminal

if TYPE_CHECKING:
    from statekeeper.app import create_app

__all__ = ["GiveUp", "LastStep", "RetryLater", "SessionEnded", "__version__", "create_app", "on_terminal"]
__version__ = version("statekeeper")


def __getattr__(name: str) -> object:
    if name == "create_app":
        return import_module("statekeeper.app").create_app
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
