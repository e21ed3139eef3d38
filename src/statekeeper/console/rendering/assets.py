"""What pages are made of besides their markup: styles and scripts, all our own or vendored, none from another host.

An address bears a hash of its content, so that a browser may keep it for ever and still see every change at once.
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

ROOT: Final = "/console/static"
_FOLDER: Final = files("statekeeper.console") / "static"
_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def _read(name: str) -> tuple[bytes, str]:
    """The bytes and their media type; `KeyError`, `FileNotFoundError` or `ValueError` for what is no asset."""
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return (_FOLDER / name).read_bytes(), media_type


@cache
def address(name: str) -> str:
    """Where a browser gets an asset."""
    content, _ = _read(name)
    return f"{ROOT}/{hashlib.sha256(content).hexdigest()[:12]}/{name}"


@get(f"{ROOT}/{{stamp:str}}/{{name:str}}")
async def get_asset(stamp: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One asset; of another stamp there is none, so that nothing wrong is kept for ever."""
    try:
        if address(name) != f"{ROOT}/{stamp}/{name}":
            raise NotFoundException
        content, media_type = _read(name)
    except (KeyError, OSError, ValueError) as error:
        raise NotFoundException from error
    return Response(content, media_type=media_type, headers=_FOREVER)
