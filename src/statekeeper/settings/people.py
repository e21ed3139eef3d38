"""The settings of who may look and act: tokens, the console, and the provider by which people sign in to it."""

from pydantic import BaseModel, Field, field_validator

from statekeeper.settings import rules
from statekeeper.settings.words import FROZEN, SECONDS, URL


class TokenSettings(BaseModel):
    """One bearer token that may ask, known by its hash only."""

    model_config = FROZEN

    name: rules.Text = Field(description="a text of 1 to 255 characters")
    sha256: rules.Sha256 = Field(description="the SHA-256 of a token, as 64 hexadecimal digits")
    role: rules.Role = Field(description="reader, support or admin")


class ConsoleSettings(BaseModel):
    """The pages for support, and for how long somebody stays signed in to them."""

    model_config = FROZEN

    enabled: bool = Field(default=True, description="true or false")
    url: rules.Origin | None = Field(
        default=None, description=f"{URL} without a path, by which browsers reach the service"
    )
    idle_timeout: rules.Number = Field(default=1800, gt=0, description=f"{SECONDS}, but not 0")
    lifetime: rules.Number = Field(default=43_200, gt=0, description=f"{SECONDS}, but not 0")


class OidcSettings(BaseModel):
    """The OpenID provider by which people sign in to the console, and what its claims say of them."""

    model_config = FROZEN

    issuer: rules.Url | None = Field(default=None, description=f"the provider exactly as it names itself, {URL}")
    client_id: rules.Text | None = Field(
        default=None, description="the name under which the provider knows the console"
    )
    client_secret: rules.ClientSecret | None = Field(
        default=None, description="the secret that goes with client_id, 1 to 255 printable ASCII characters"
    )
    scopes: rules.Texts = Field(default=("openid", "profile"), description="scopes to ask for, openid among them")
    roles_claim: rules.Text = Field(
        default="roles", description="a claim, or a path such as realm_access.roles, with a text or a list of texts"
    )
    readers: rules.Texts = Field(default=("statekeeper-reader",), description="values of roles_claim that may read")
    supporters: rules.Texts = Field(default=("statekeeper-support",), description="values of roles_claim that may act")
    admins: rules.Texts = Field(default=("statekeeper-admin",), description="values of roles_claim that may do all")
    name_claim: rules.Text = Field(
        default="preferred_username", description="the claim that names a person; else email, else sub"
    )

    @field_validator("scopes")
    @classmethod
    def _ask_for_an_identity(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("openid is not among them")
        return scopes
