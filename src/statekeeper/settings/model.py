"""The settings. Each is described by what it takes: the words of a fault, and of the reference in `docs/`.

Made by hand, `Settings(...)` reads nothing but its arguments; `load_settings` is what reads the environment.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from statekeeper.core.brokers import check_destination, parse_location
from statekeeper.core.errors import Fault, SettingsError
from statekeeper.core.loopback import is_loopback
from statekeeper.core.subscribers import NOTICES
from statekeeper.settings import rules
from statekeeper.settings.people import ConsoleSettings, OidcSettings, TokenSettings
from statekeeper.settings.words import BROKER_URL, FROZEN, SECONDS, URL


class IdnowSettings(BaseModel):
    """Whose webhooks are believed."""

    model_config = FROZEN

    issuer: rules.Url | None = Field(default=None, description=f"the issuer exactly as its tokens name it, {URL}")
    audience: rules.Texts = Field(default=(), description="the accepted `aud` values, one or more")
    jwks_url: rules.Url | None = Field(default=None, description=URL)
    jwks_file: Path | None = Field(default=None, description="the path of a JWK Set")
    algorithms: rules.Algorithms = Field(
        default=("RS256",),
        description="one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA",
    )
    leeway: rules.Number = Field(default=60, description=SECONDS)


class OrderingSettings(BaseModel):
    """How long an early event waits for those before it."""

    model_config = FROZEN

    gap_timeout: rules.Number = Field(default=30, description=f"{SECONDS}, fractions allowed; 0 never waits")


class DeliverySettings(BaseModel):
    """How often and how patiently a callback is sent."""

    model_config = FROZEN

    schedule: rules.Numbers = Field(
        default=(0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
        description=f"the seconds before each attempt, one or more, each 0 to {rules.A_YEAR}",
    )
    timeout: rules.Number = Field(default=20, gt=0, description=f"{SECONDS}, but not 0")
    breaker_failures: rules.Count = Field(
        default=20, description="failures in a row that open an endpoint's circuit, 1 to 10000"
    )
    breaker_pause: rules.Number = Field(
        default=5, gt=0, description=f"{SECONDS}, but not 0; before the first probe, doubled up to 10 minutes"
    )
    disable_after: rules.Number = Field(
        default=432_000, description=f"{SECONDS}, of nothing but failures that disable an endpoint; 0 never does"
    )
    allowed_networks: rules.Networks = Field(
        default=(), description="networks such as 10.0.0.0/8 that callbacks may go to though they are not public"
    )


class EndpointSettings(BaseModel):
    """One HTTP endpoint that is told of ended sessions. An empty filter fits everything."""

    model_config = FROZEN

    name: rules.Text = Field(description="a text of 1 to 255 characters")
    url: rules.Url = Field(description=URL, repr=False)
    secrets: tuple[rules.SigningSecret, ...] = Field(
        min_length=1, description="one or more of `whsec_` and the base64 of 24 to 64 bytes, the newest first"
    )
    transitions: rules.Scope = Field(
        default="terminal", description="terminal, all (in each session's order) or none (for notices only)"
    )
    states: rules.Texts = Field(default=(), description="final states of the chart; with transitions = all, any")
    environments: rules.Texts = Field(default=(), description="texts of 1 to 255 characters")
    flows: rules.Texts = Field(default=(), description="flowIds")
    notices: rules.Notices = Field(default=(), description=f"one or more of {', '.join(NOTICES)}")
    concurrency: rules.Concurrency = Field(default=8, description="attempts at once, 1 to 256")
    rate: rules.Rate | None = Field(default=None, description="attempts a second of one node, above 0 to 10000")

    @field_validator("states")
    @classmethod
    def _check_states(cls, states: tuple[str, ...], given: ValidationInfo) -> tuple[str, ...]:
        return rules.check_states(states, every=given.data.get("transitions") == "all")


class BrokerSettings(BaseModel):
    """One message broker that is told of ended sessions. An empty filter fits everything."""

    model_config = FROZEN

    name: rules.Text = Field(description="a text of 1 to 255 characters")
    url: rules.BrokerUrl = Field(description=BROKER_URL, repr=False)
    destination: rules.Text = Field(
        description="a JetStream subject, a RabbitMQ queue or address, a Kafka topic or the key of a Redis stream"
    )
    concurrency: rules.Concurrency = Field(default=8, description="messages at once, 1 to 256")
    states: rules.Texts = Field(default=(), description="final states of the chart")
    environments: rules.Texts = Field(default=(), description="texts of 1 to 255 characters")
    flows: rules.Texts = Field(default=(), description="flowIds")

    @field_validator("states")
    @classmethod
    def _check_states(cls, states: tuple[str, ...]) -> tuple[str, ...]:
        return rules.check_states(states, every=False)

    @field_validator("destination")
    @classmethod
    def _fit_the_url(cls, destination: str, given: ValidationInfo) -> str:
        """Checked if the URL is right: which destinations there are is decided by its scheme."""
        if url := given.data.get("url"):
            check_destination(parse_location(url).kind, destination)
        return destination


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        case_sensitive=True,
        enable_decoding=False,
        env_prefix="STATEKEEPER_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )

    database_url: rules.DatabaseUrl = Field(
        default=SecretStr("sqlite:///statekeeper.db"), description="sqlite:///PATH, or postgresql://USER@HOST/NAME"
    )
    host: rules.Text = Field(default="127.0.0.1", description="a host name or an address to listen on")
    port: rules.Port = Field(default=8000, description="a number from 0 (any that is free) to 65535")
    callbacks: rules.Texts = Field(default=(), description="import paths or .py files")
    encryption_keys: rules.EncryptionKeys = Field(
        default=(), description="Fernet keys (the base64 of 32 bytes), the newest first; the first one encrypts"
    )
    idnow: IdnowSettings = IdnowSettings()
    ordering: OrderingSettings = OrderingSettings()
    delivery: DeliverySettings = DeliverySettings()
    endpoints: rules.Tables[EndpointSettings] = Field(
        default=(), description="a list of tables (in the environment: JSON)"
    )
    brokers: rules.Tables[BrokerSettings] = Field(default=(), description="a list of tables (in the environment: JSON)")
    tokens: rules.Tables[TokenSettings] = Field(default=(), description="a list of tables (in the environment: JSON)")
    console: ConsoleSettings = ConsoleSettings()
    oidc: OidcSettings = OidcSettings()

    @property
    def guarded(self) -> bool:
        """Whether whoever asks must say who he is; else this machine only is served."""
        return bool(self.tokens) or self.oidc.issuer is not None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Its arguments only: `sources` merges what flags, environment and file say, and remembers which said it."""
        return (init_settings,)


def require_serving(settings: Settings) -> None:
    """Raise `SettingsError` unless these settings suffice to serve; those that only read the store need less."""
    if faults := tuple(_serving_faults(settings)):
        raise SettingsError(faults)


def _serving_faults(settings: Settings) -> Iterator[Fault]:
    for name in ("issuer", "audience"):
        if not getattr(settings.idnow, name):
            takes = IdnowSettings.model_fields[name].description
            yield Fault(f"idnow.{name}", f"is required to serve; takes {takes}")
    file = settings.idnow.jwks_file
    if file is not None and not file.is_file():
        yield Fault("idnow.jwks_file", f'got "{file}", where there is no file; takes the path of a JWK Set')
    if not settings.guarded and not is_loopback(settings.host):
        got = f'got "{settings.host}"; without tokens only a loopback host is served'
        yield Fault("host", f"{got}: set host to 127.0.0.1, or configure [[tokens]] or [oidc]")
    yield from _oidc_faults(settings)


def _oidc_faults(settings: Settings) -> Iterator[Fault]:
    """A provider is set up wholly or not at all."""
    needed = {name: getattr(settings.oidc, name) for name in ("issuer", "client_id", "client_secret")}
    if not any(needed.values()):
        return
    for name in (name for name, value in needed.items() if value is None):
        takes = OidcSettings.model_fields[name].description
        yield Fault(f"oidc.{name}", f"is required to sign in by OpenID Connect; takes {takes}")
    if settings.console.url is None:
        takes = ConsoleSettings.model_fields["url"].description
        yield Fault("console.url", f"is required with [oidc], which sends people back there; takes {takes}")
    if not settings.console.enabled:
        yield Fault("console.enabled", "got false; [oidc] is for the console only: take one of the two away")
