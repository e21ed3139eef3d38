"""What several operations take and refuse."""

from typing import Final

from statekeeper.core.errors import Unavailable

TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 255}
INSTANT: Final = {"type": "string", "format": "date-time"}
AWAY: Final = Unavailable("The store does not answer, or is full.", reason="store")
