"""What proves an event, looked at now: whether its archived token is signed by the archived key, and what it claims.

Anything may stand in a token that was signed, half of a surrogate pair included, which no page can carry: it is shown
escaped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statekeeper.explanation.case import CaseEvent
from statekeeper.trust.archive import Flaw, examine


@dataclass(frozen=True, slots=True)
class Evidence:
    """`flaw` says why the signature does not verify, and is None if it does; `claims` is JSON to be read by people.

    `kid` and `algorithm` are the token's own; None where it says none. `claims` is empty for whoever may not see them.
    """

    flaw: Flaw | None
    thumbprint: str
    kid: str | None
    algorithm: str | None
    claims: str


def gather(event: CaseEvent, *, claimed: bool = True) -> Evidence:
    """The evidence for one event; with what it claims, if `claimed`."""
    proof = examine(event.token, event.jwk)
    kid, algorithm = (_text(proof.header, name) for name in ("kid", "alg"))
    claims = _printable(_pretty(proof.claims)) if claimed else ""
    return Evidence(proof.detail, event.thumbprint, kid, algorithm, claims)


def _text(header: Mapping[str, Any], name: str) -> str | None:
    return _printable(str(header[name])) if name in header else None


def _pretty(claims: Mapping[str, Any]) -> str:
    return json.dumps(claims, indent=2, ensure_ascii=False)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
