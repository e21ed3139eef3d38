"""Settings: frozen, read once, and by nobody else.

A command-line flag comes before an environment variable, that before the TOML file, that before the default. `model`
has the settings with what each takes, `rules` what is checked, `sources` reads them and remembers where each came from,
`faults` says what is wrong with them, one line a fault, and `display` shows them. A secret is shown by none of these.
"""

from statekeeper.settings.display import Row, resolved
from statekeeper.settings.endpoints import check_endpoint, endpoint_options
from statekeeper.settings.model import (
    BrokerSettings,
    DeliverySettings,
    EndpointSettings,
    IdnowSettings,
    OrderingSettings,
    Settings,
    require_serving,
)
from statekeeper.settings.people import ConsoleSettings, OidcSettings, TokenSettings
from statekeeper.settings.sources import Resolution, load_settings, resolve, unknown_variables

__all__ = [
    "BrokerSettings",
    "ConsoleSettings",
    "DeliverySettings",
    "EndpointSettings",
    "IdnowSettings",
    "OidcSettings",
    "OrderingSettings",
    "Resolution",
    "Row",
    "Settings",
    "TokenSettings",
    "check_endpoint",
    "endpoint_options",
    "load_settings",
    "require_serving",
    "resolve",
    "resolved",
    "unknown_variables",
]
