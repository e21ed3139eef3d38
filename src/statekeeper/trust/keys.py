"""One key of the issuer: what it may verify, and how it is remembered (RFC 7517, RFC 7518, RFC 7638).

What a key may verify is settled when it is read, once: by its type and curve, and its own `alg`, `use` and `key_ops`.
A key that may verify nothing is refused with a word that says why. A key whose private half stands in the issuer's
public document is everybody's, and refused; what is kept of a key are its public members.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError
from jwt.utils import base64url_encode

from statekeeper.core.arrivals import SigningKey
from statekeeper.core.events import storable
from statekeeper.trust.compact import Token

RSA_BITS: Final = range(2048, 16384 + 1)
"""Below, the modulus may be factored; above, OpenSSL refuses to check signatures by it."""
_BY_FAMILY: Final[Mapping[tuple[str, str | None], frozenset[str]]] = {
    ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("OKP", "Ed448"): frozenset({"EdDSA"}),
}
ALGORITHMS: Final = frozenset[str]().union(*_BY_FAMILY.values())
"""Every algorithm that may be allowed: signatures by a key pair, nothing symmetric and not `none`."""
_PYJWT: Final[Mapping[str, Algorithm]] = {
    name: algorithm for name, algorithm in get_default_algorithms().items() if name in ALGORITHMS
}
_REQUIRED: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeyRefused(ValueError):
    """A JWK that may verify nothing here. `why` is a word for the operator's log, `kid` its name if it has one."""

    def __init__(self, why: str, kid: str | None = None) -> None:
        super().__init__(why)
        self.why: Final = why
        self.kid: Final = kid


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key and the algorithms that it fits; `signing_key` is what is archived beside what it verified."""

    algorithms: frozenset[str]
    signing_key: SigningKey
    public: Any = field(compare=False, repr=False)

    @property
    def kid(self) -> str | None:
        return self.signing_key.kid

    def fits(self, algorithm: str) -> bool:
        return algorithm in self.algorithms

    def verifies(self, token: Token) -> bool:
        """Whether the token's signature is by this key; PyJWT answers, by the algorithm that the header names."""
        algorithm = token.header["alg"]
        return self.fits(algorithm) and _PYJWT[algorithm].verify(token.signing_input, self.public, token.signature)


def parse_key(jwk: object) -> VerificationKey:
    """Read one JWK; raises `KeyRefused`."""
    if not isinstance(jwk, Mapping):
        raise KeyRefused("malformed")
    kid = jwk.get("kid")
    if kid is not None and storable(kid) is None:
        raise KeyRefused("malformed")
    if why := _unusable(jwk):
        raise KeyRefused(why, kid)
    algorithms = _algorithms(jwk)
    if not algorithms:
        raise KeyRefused("algorithm", kid)
    try:
        public, members = _public(jwk, min(algorithms))
    except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise KeyRefused("malformed", kid) from error
    if isinstance(public, RSAPublicKey) and public.key_size not in RSA_BITS:
        raise KeyRefused("size", kid)
    return VerificationKey(algorithms, _signing_key(members, jwk, kid), public)


def _unusable(jwk: Mapping[str, Any]) -> str | None:
    if jwk.get("kty") == "oct" or _PRIVATE & jwk.keys():
        return "secret"
    if jwk.get("use", "sig") != "sig":
        return "use"
    operations = jwk.get("key_ops", ["verify"])
    return None if isinstance(operations, list) and "verify" in operations else "key_ops"


def _algorithms(jwk: Mapping[str, Any]) -> frozenset[str]:
    """What the key's type and curve allow, cut down to its own `alg` if it names one."""
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kty, str) or not isinstance(curve, str | None):
        return frozenset()
    fitting = _BY_FAMILY.get((kty, None if kty == "RSA" else curve), frozenset())
    return frozenset(name for name in fitting if jwk.get("alg", name) == name)


def _public(jwk: Mapping[str, Any], algorithm: str) -> tuple[Any, dict[str, str]]:
    """The key itself, and its required members as PyJWT writes them: one key, one spelling."""
    names = _REQUIRED[jwk["kty"]]
    scheme = _PYJWT[algorithm]
    public = scheme.from_jwk({name: jwk[name] for name in names if name in jwk})
    canonical = scheme.to_jwk(public, as_dict=True)
    return public, {name: canonical[name] for name in names}


def _signing_key(members: Mapping[str, str], jwk: Mapping[str, Any], kid: str | None) -> SigningKey:
    thumbprint = hashlib.sha256(_canonical(members)).digest()
    described = {name: jwk[name] for name in ("kid", "alg", "use", "key_ops") if name in jwk}
    return SigningKey(base64url_encode(thumbprint).decode(), kid, _canonical({**members, **described}).decode())


def _canonical(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
