"""What is checked of single values, and the types that settings are made of.

A rule raises `ValueError`: with a sentence of its own where it knows better than "takes …", which every setting has in
its description. No sentence repeats the value; `faults` does, where it is no secret.
"""

import json
import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from statekeeper.core.brokers import parse_location
from statekeeper.core.events import MAX_TEXT
from statekeeper.core.loopback import is_trustworthy
from statekeeper.resources import default_chart
from statekeeper.trust.signing import parse_secret

A_YEAR: Final = 366 * 86_400
_SHA256: Final = re.compile("[0-9a-fA-F]{64}")
_CLIENT_SECRET: Final = re.compile("[\\x20-\\x7e]{1,255}")
_T = TypeVar("_T")


def split(value: object) -> object:
    """A list that came as one text: JSON if it begins as JSON does, else its parts between commas."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return _parse_json(text) if text[:1] in {"[", "{"} else [part.strip() for part in text.split(",") if part.strip()]


def parse_tables(value: object) -> object:
    """A list of tables that came as one text, in JSON."""
    return _parse_json(value) if isinstance(value, str) else value


def _parse_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("is not valid JSON") from None


def refuse_truth(value: object) -> object:
    """`true` is no number, though Python takes it for 1."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 -- pydantic collects ValueError only
    return value


def check_trustworthy(url: str) -> str:
    if not is_trustworthy(url):
        raise ValueError
    return url


def check_origin(url: str) -> str:
    """A scheme, a host and perhaps a port; a slash behind them is dropped."""
    parts = urlsplit(check_trustworthy(url))
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc.lower()}"


def check_broker_url(url: str) -> str:
    try:
        parse_location(url)
    except ValueError:
        raise ValueError from None  # what it says may repeat a part of the URL
    return url


def check_database_url(secret: SecretStr) -> SecretStr:
    """`sqlite:///` and a path, or `postgresql://` (also `postgres://`) and what else SQLAlchemy can read."""
    try:
        url = make_url(secret.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError from None
    if url.drivername == "sqlite":
        if url.host or not url.database or url.database == ":memory:" or url.query:
            raise ValueError
    elif url.drivername not in {"postgresql", "postgres"}:
        raise ValueError
    return secret


def check_signing_secret(secret: SecretStr) -> SecretStr:
    parse_secret(secret.get_secret_value())
    return secret


def check_client_secret(secret: SecretStr) -> SecretStr:
    """Printable ASCII, as RFC 6749 has it (appendix A.2): it goes into a header."""
    if not _CLIENT_SECRET.fullmatch(secret.get_secret_value()):
        raise ValueError
    return secret


def check_sha256(secret: SecretStr) -> SecretStr:
    if not _SHA256.fullmatch(secret.get_secret_value()):
        raise ValueError
    return secret


def check_states(states: tuple[str, ...], *, every: bool) -> tuple[str, ...]:
    """States of the chart, `every` one or the final ones."""
    chart = default_chart()
    known = frozenset(chart.states) if every else chart.finals
    if not known.issuperset(states):
        kind = "states" if every else "final states"
        raise ValueError(f"the chart's {kind} are {', '.join(sorted(known))}")
    return states


def check_network(text: str) -> str:
    ip_network(text)
    return text


def check_encryption_key(secret: SecretStr) -> SecretStr:
    try:
        Fernet(secret.get_secret_value())
    except ValueError:
        raise ValueError from None  # its own words are a library's
    return secret


def check_names(entries: Sequence[Any]) -> Sequence[Any]:
    """Endpoints, brokers and tokens are told apart by their names."""
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names must be unique; more than one is called {', '.join(twice)}")
    return entries


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(split)]
Number = Annotated[float, BeforeValidator(refuse_truth), Field(ge=0, le=A_YEAR, allow_inf_nan=False)]
Numbers = Annotated[tuple[Number, ...], BeforeValidator(split), Field(min_length=1)]
Port = Annotated[int, BeforeValidator(refuse_truth), Field(ge=0, le=65_535)]
Url = Annotated[Text, AfterValidator(check_trustworthy)]
Origin = Annotated[Text, AfterValidator(check_origin)]
ClientSecret = Annotated[SecretStr, AfterValidator(check_client_secret)]
BrokerUrl = Annotated[Text, AfterValidator(check_broker_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(check_database_url)]
SigningSecret = Annotated[SecretStr, AfterValidator(check_signing_secret)]
Sha256 = Annotated[SecretStr, AfterValidator(check_sha256)]
Scope = Literal["terminal", "all", "none"]
Notice = Literal["callback.dead", "endpoint.disabled", "endpoint.recovered", "session.gap_closed"]
Notices = Annotated[tuple[Notice, ...], BeforeValidator(split)]
Count = Annotated[int, BeforeValidator(refuse_truth), Field(ge=1, le=10_000)]
Concurrency = Annotated[int, BeforeValidator(refuse_truth), Field(ge=1, le=256)]
Rate = Annotated[float, BeforeValidator(refuse_truth), Field(gt=0, le=10_000, allow_inf_nan=False)]
Network = Annotated[Text, AfterValidator(check_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(split)]
EncryptionKeys = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(check_encryption_key)], ...], BeforeValidator(split)
]
Role = Literal["reader", "support", "admin"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Algorithms = Annotated[tuple[Algorithm, ...], BeforeValidator(split), Field(min_length=1)]
Tables = Annotated[tuple[_T, ...], BeforeValidator(parse_tables), AfterValidator(check_names)]
