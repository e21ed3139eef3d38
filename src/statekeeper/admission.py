"""Who is admitted, by the settings: the bearers of tokens, and those whom an OpenID provider gives a role."""

from statekeeper.api import AccessPolicy, AccessToken, Role
from statekeeper.console.entrance.claims import Naming
from statekeeper.console.entrance.provider import Client, Provider
from statekeeper.console.entrance.reception import Entrance
from statekeeper.console.entrance.refusals import SIGN_IN
from statekeeper.settings import OidcSettings, Settings


def access_policy(settings: Settings) -> AccessPolicy:
    """What the door goes by."""
    tokens = tuple(
        AccessToken(each.name, each.sha256.get_secret_value(), Role[each.role.upper()]) for each in settings.tokens
    )
    return AccessPolicy(tokens, provider=_trust_in(settings.oidc))


def _trust_in(oidc: OidcSettings) -> str | None:
    """What a sign-in by the provider holds by: for another client, or where other claims give a role, it is none."""
    kept = oidc.model_dump(include={"issuer", "client_id", "roles_claim", "readers", "supporters", "admins"})
    return repr(kept) if oidc.issuer else None


def entrance_of(settings: Settings) -> Entrance | None:
    """The provider that people sign in by, if one is set up; `require_serving` has seen that it is so wholly."""
    oidc, url = settings.oidc, settings.console.url
    if not (oidc.issuer and oidc.client_id and oidc.client_secret and url):
        return None
    roles = {Role.READER: oidc.readers, Role.SUPPORT: oidc.supporters, Role.ADMIN: oidc.admins}
    naming = Naming(oidc.roles_claim, {role: frozenset(each) for role, each in roles.items()}, oidc.name_claim)
    secret = oidc.client_secret.get_secret_value()
    client = Client(oidc.issuer, oidc.client_id, secret, oidc.scopes, f"{url}{SIGN_IN}/answer")
    return Entrance(Provider(client, oidc.roles_claim), naming, url)
