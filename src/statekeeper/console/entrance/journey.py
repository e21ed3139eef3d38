"""One way to the provider and back: what this browser took along, so that nobody else's answer is taken for its own.

The browser keeps 32 random bytes in a cookie, and where it wanted to go. From these bytes come, each by a hash of its
own, the `state` and the `nonce` that go through the provider, and the verifier whose hash does (RFC 7636): neither of
them tells the others. So nothing has to be remembered here, and any node may take the answer.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final, Self

from statekeeper.console.forms import local_path

MINUTES: Final = 10
_SEED_LENGTH: Final = 43


@dataclass(frozen=True, slots=True)
class Journey:
    """`seed` is the browser's secret, `goal` the page of the console that it goes on to."""

    seed: str
    goal: str

    @classmethod
    def begin(cls, goal: str | None) -> Self:
        return cls(secrets.token_urlsafe(32), local_path(goal))

    @classmethod
    def read(cls, cookie: str | None) -> Self | None:
        """What `cookie` wrote; None for anything else."""
        seed, _, goal = (cookie or "").partition(".")
        try:
            path = base64.urlsafe_b64decode(goal + "=" * (-len(goal) % 4)).decode("ascii")
        except ValueError:
            return None
        return cls(seed, local_path(path)) if len(seed) == _SEED_LENGTH else None

    @property
    def cookie(self) -> str:
        return f"{self.seed}.{_base64url(self.goal.encode())}"

    @property
    def state(self) -> str:
        return self._derive("state")

    @property
    def nonce(self) -> str:
        return self._derive("nonce")

    @property
    def verifier(self) -> str:
        return self._derive("verifier")

    def answers(self, state: str | None) -> bool:
        """Whether an answer with this `state` is to this journey; compared in constant time."""
        return hmac.compare_digest((state or "").encode(errors="replace"), self.state.encode())

    def _derive(self, purpose: str) -> str:
        """43 characters of base64url, which is what PKCE takes at the least."""
        return _base64url(hmac.digest(self.seed.encode(errors="replace"), purpose.encode(), hashlib.sha256))


def _base64url(value: bytes) -> str:
    """Without padding: `=` would be quoted in a cookie."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
