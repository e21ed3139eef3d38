"""What an act has made other of an endpoint: each member that differs, as it was and as it is.

So the trail keeps it, where it is read by others than those who may see secrets: of a URL no more than all are shown,
and of a secret nothing. The order of a list says nothing, so that in another order it is the same.
"""

from collections.abc import Mapping
from typing import Any

from statekeeper.logs import redact, show_url

Values = Mapping[str, Any]
Changes = Mapping[str, tuple[Any, Any]]


def differences(before: Values, after: Values) -> Changes:
    """Of each member in `after` that was another: what it was, and what it is."""
    pairs = {name: (before[name], value) for name, value in after.items()}
    return {name: (old, new) for name, (old, new) in pairs.items() if _unordered(old) != _unordered(new)}


def told(values: Values) -> dict[str, Any]:
    """The members of an endpoint that is made, as the trail keeps them; its name stands there already."""
    return {name: _shown(name, value) for name, value in values.items() if name not in {"name", "secret"}}


def told_changes(changes: Changes) -> dict[str, Any]:
    """Changes as the trail keeps them. Two URLs that differ in what is secret of them look the same there."""
    return {name: {"from": _shown(name, old), "to": _shown(name, new)} for name, (old, new) in changes.items()}


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 -- a value of any member
    return redact(show_url(value)) if name == "url" and value is not None else value


def _unordered(value: Any) -> Any:  # noqa: ANN401 -- same
    return sorted(value) if isinstance(value, list | tuple) else value
