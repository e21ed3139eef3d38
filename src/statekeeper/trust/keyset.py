"""The issuer's key set: which key a token asks for, and whether it is there (RFC 7517, section 5).

A set remembers the names of the keys that it refused, so that a token which asks for one of them is refused at once
instead of making the keyring ask the issuer for a key that it already has.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from statekeeper.core.errors import NotVerified
from statekeeper.trust.compact import Token, read_object
from statekeeper.trust.keys import KeyRefused, VerificationKey, parse_key

MAX_KEYS: Final = 100


@dataclass(frozen=True, slots=True)
class KeySet:
    """One document of the issuer. `refused` counts the keys that may verify nothing, by why."""

    document: str
    keys: tuple[VerificationKey, ...]
    by_kid: Mapping[str, tuple[VerificationKey, ...]]
    refused: Mapping[str, int]

    def find(self, token: Token) -> VerificationKey | None:
        """The key that the token asks for, or None if its `kid` is unknown; raises `NotVerified` if none may verify it.

        `token` has a header that `verification.doubt_header` has passed.
        """
        kid, algorithm = token.header.get("kid"), token.header["alg"]
        if kid is None:
            return _only(key for key in self.keys if key.fits(algorithm))
        named = self.by_kid.get(kid)
        if named is None:
            return None
        fitting = [key for key in named if key.fits(algorithm)]
        if not fitting:
            raise NotVerified("The key that `kid` names may not verify this algorithm.", reason="key", kid=kid)
        # Names are unique by rule, not by force: among namesakes the signature decides.
        return fitting[0] if len(fitting) == 1 else next((key for key in fitting if key.verifies(token)), fitting[0])


def parse_key_set(document: str) -> KeySet:
    """Read a JWK Set; keys that may verify nothing are left out and counted. Raises `ValueError` if it is no set."""
    jwks = read_object(document.encode()).get("keys")
    if not isinstance(jwks, list):
        raise ValueError("not a JWK Set: `keys` is missing or not a list")  # noqa: TRY004 -- a fault of the text
    if len(jwks) > MAX_KEYS:
        raise ValueError(f"a JWK Set of more than {MAX_KEYS} keys")
    keys: list[VerificationKey] = []
    refused: list[KeyRefused] = []
    for jwk in jwks:
        try:
            keys.append(parse_key(jwk))
        except KeyRefused as error:
            refused.append(error)
    named: dict[str, tuple[VerificationKey, ...]] = {error.kid: () for error in refused if error.kid is not None}
    for key in keys:
        if key.kid is not None:
            named[key.kid] = (*named.get(key.kid, ()), key)
    return KeySet(document, tuple(keys), named, Counter(error.why for error in refused))


def _only(fitting: Iterable[VerificationKey]) -> VerificationKey:
    """A token that names no key is tried only if there is no choice."""
    match list(fitting):
        case [key]:
            return key
    raise NotVerified("The token names no key, and not exactly one fits.", reason="key")
