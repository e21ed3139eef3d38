"""User functions as subscribers: loaded from the modules that the settings name, and called by the relay.

An import path is imported as Python does it. A `.py` file becomes the module named by its stem; it is run afresh by
each load, so that nothing is left over from an earlier one. The working directory, or the file's own, is put at the end
of the path, where it shadows nothing. Whatever is wrong (a file that cannot be imported, a state that the chart does
not end in, one name twice) is the operator's to know before the service starts.
"""

import asyncio
import importlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from statekeeper.core.callbacks import decode
from statekeeper.core.errors import OperatorError
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.answers import Answer, describe
from statekeeper.delivery.crews import crew_for
from statekeeper.delivery.registry import Function, Subscription, forget, registered
from statekeeper.store.attempts import Claim


class Handler:
    """A subscriber that is a function of the user's. Its failures open no circuit: they concern one session each."""

    rate = None
    guarded = ordered = False

    def __init__(self, subscriber: Subscriber, function: Function) -> None:
        self.subscriber: Final = subscriber
        self._crew = crew_for(function, subscriber.name)
        self._lingering: set[Future[Answer]] = set()

    @property
    def slots(self) -> int:
        """How many calls it takes at once: fewer while calls that were given up on go on."""
        return self._crew.size - len(self._lingering)

    async def send(self, claim: Claim) -> Answer:
        """Call the function in its crew. If this is cancelled, the call is abandoned, and keeps its slot until over."""
        call = self._crew.start(decode(claim.body))
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            self._lingering.add(call)
            call.add_done_callback(self._lingering.discard)
            self._crew.abandon(call)
            raise

    def close(self) -> None:
        self._crew.close()


def load_handlers(paths: Sequence[str], finals: Collection[str]) -> tuple[Handler, ...]:
    """Import each path (`package.module` or a `.py` file) and return the handlers found, in order.

    `finals` are the states that a session can end in. Raises `OperatorError`.
    """
    return tuple(Handler(each.subscriber, each.function) for each in load_subscriptions(paths, finals))


def load_subscriptions(paths: Sequence[str], finals: Collection[str]) -> tuple[Subscription, ...]:
    """As `load_handlers`, for whoever must know the functions and calls none."""
    files: dict[str, Path] = {}
    found = dict.fromkeys(each for path in paths for each in registered(_load(path, files)))
    check_states((each.subscriber for each in found), finals)
    return tuple(found)


def check_names(subscribers: Iterable[Subscriber]) -> None:
    """Raise `OperatorError` if two subscribers, of whatever kind, bear one name: it is their key in the store."""
    counts = Counter(subscriber.name for subscriber in subscribers)
    if twice := [f"{name}: {count} subscribers have this name" for name, count in counts.items() if count > 1]:
        raise OperatorError(
            "\n".join(twice) + "\nGive each its own: the name of an endpoint or a broker, name= of a function."
        )


def check_states(subscribers: Iterable[Subscriber], finals: Collection[str]) -> None:
    """Raise `OperatorError` if a subscriber waits for a state that no session can end in."""
    known = ", ".join(sorted(finals))
    strange = [(each.name, ", ".join(sorted(each.states.difference(finals)))) for each in subscribers]
    if faults := [f"{name}: no session ends in {states}; there are {known}" for name, states in strange if states]:
        raise OperatorError("\n".join(faults))


def _load(path: str, files: dict[str, Path]) -> str:
    """Import what a path names, and return the module's name; `files` has those that this load has run already."""
    try:
        name = _load_file(Path(path).resolve(), files) if path.endswith(".py") else _load_module(path)
    except (Exception, SystemExit) as error:
        if isinstance(error, OperatorError):
            raise
        message = f"callbacks: {path} cannot be imported: {describe(error)}"
        raise OperatorError(message) from error
    if not registered(name):
        message = f"callbacks: {path} has no function under @on_terminal"
        raise OperatorError(message)
    return name


def _load_module(path: str) -> str:
    _reach(Path.cwd())
    return importlib.import_module(path).__name__


def _load_file(path: Path, files: dict[str, Path]) -> str:
    name, standing = path.stem, sys.modules.get(path.stem)
    if files.get(name) == path or _is_imported_from(standing, path):
        return name
    if (other := files.get(name) or _other_owner(name, standing, path)) is not None:
        message = f"callbacks: {path} would be the module {name}, which is taken by {other}; rename the file"
        raise OperatorError(message)
    _reach(path.parent)
    _run(name, path)
    files[name] = path
    return name


def _is_imported_from(standing: ModuleType | None, path: Path) -> bool:
    """Whether this very file is a module already, by an import statement or an import path."""
    return standing is not None and not _is_ours(standing) and getattr(standing, "__file__", None) == str(path)


def _is_ours(standing: ModuleType) -> bool:
    """Whether an earlier load made this module from a file."""
    return isinstance(getattr(standing, "__loader__", None), _FreshLoader)


def _other_owner(name: str, standing: ModuleType | None, path: Path) -> str | None:
    """Who else has this module name: a module that is loaded, or one that could be imported."""
    if standing is not None:
        return None if _is_ours(standing) else getattr(standing, "__file__", None) or "a module of Python's own"
    spec = importlib.util.find_spec(name) if "." not in name else None
    return None if spec is None or spec.origin in {None, str(path)} else spec.origin


def _run(name: str, path: Path) -> None:
    """Make a module of a file, and none if that fails."""
    forget(name)
    loader = _FreshLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


class _FreshLoader(SourceFileLoader):
    """Compiles the file as it stands, without a cache, whose times are too coarse to notice every change."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _reach(directory: Path) -> None:
    """Let the modules of a directory be imported, after all others."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
