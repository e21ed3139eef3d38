"""What somebody typed, or pasted, who is in search of a session: its id, a part of it, or nothing of the kind.

An id is found wherever it stands: in a URL, a log line, between braces, in either case, with or without its dashes. If
there are several, the first counts. A part is at least four hexadecimal digits and nothing else, but for dashes, spaces
and the dots that stand for what was cut off.
"""

import re
from typing import Final
from uuid import UUID

SHORTEST: Final = 4
_DIGIT: Final = "[0-9a-fA-F]"
_ID: Final = re.compile(
    rf"(?<!{_DIGIT})(?:{_DIGIT}{{8}}-{_DIGIT}{{4}}-{_DIGIT}{{4}}-{_DIGIT}{{4}}-{_DIGIT}{{12}}|{_DIGIT}{{32}})(?!{_DIGIT})"
)
_LEFT_OUT: Final = re.compile(r"[\s\-.…]+")
_PART: Final = re.compile(rf"{_DIGIT}{{{SHORTEST},31}}")


def read_search(text: str) -> UUID | str | None:
    """A session's id; or a part of one, in lower case and without dashes; or None where it can be neither."""
    if found := _ID.search(text):
        return UUID(found[0])
    part = _LEFT_OUT.sub("", text)
    return part.lower() if _PART.fullmatch(part) else None
