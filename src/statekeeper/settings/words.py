"""What settings have in common: that they are frozen, and the words in which several say what they take."""

from typing import Final

from pydantic import ConfigDict

from statekeeper.settings import rules

FROZEN: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
SECONDS: Final = f"seconds, 0 to {rules.A_YEAR}"
URL: Final = "an https:// URL (http:// for a loopback host only)"
BROKER_URL: Final = (
    "a tls://, amqps://, kafka+ssl:// or rediss:// URL (nats://, amqp://, kafka://, redis:// for a loopback host only)"
)
