"""An endpoint that comes by itself, over the API or the command line, is under the rules of those in the settings.

Its name is part of a path there, and therefore of fewer characters.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.settings.faults import read_endpoint_faults
from statekeeper.settings.model import EndpointSettings

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*", re.ASCII)
_TARGET: Final = {"name", "url", "secrets"}
BAD_NAME: Final = Fault("name", "takes letters, digits and -._~ only, a letter or digit first")


def check_endpoint(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an endpoint, defaults included, fit for JSON; raises `BodyRefused` with every fault."""
    try:
        endpoint = EndpointSettings.model_validate(values)
    except ValidationError as error:
        raise BodyRefused(read_endpoint_faults(error)) from None
    if not _NAME.fullmatch(endpoint.name):
        raise BodyRefused((BAD_NAME,))
    return endpoint_options(endpoint)


def endpoint_options(endpoint: EndpointSettings) -> dict[str, Any]:
    """All that an endpoint says but its name, URL and secrets."""
    return endpoint.model_dump(mode="json", exclude=_TARGET)
