"""What all documents have in common."""

from typing import Annotated

from msgspec import Meta, Struct

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class View(Struct, frozen=True, rename="camel"):
    """The base of all documents."""
