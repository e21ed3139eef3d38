"""The reference as a page: RapiDoc, served by ourselves, so that nothing is loaded from another host.

The page's Content-Security-Policy sees to that, whatever the script would like: it may run, style the page, and ask
this origin, and no more.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from litestar import Response, get

from statekeeper.api.reference import document

SCRIPT: Final = "rapidoc-9.3.8.min.js"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_PAGE: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Statekeeper API</title>
<link rel="icon" href="data:,">
<script type="module" src="/docs/{SCRIPT}"></script>
</head>
<body>
<rapi-doc spec-url="/docs/openapi.json" load-fonts="false" render-style="read" schema-style="table" theme="light"
 show-header="false" allow-server-selection="false" primary-color="#1f5f8b"></rapi-doc>
<noscript>This page needs JavaScript. The same as a document: <a href="/docs/openapi.json">openapi.json</a></noscript>
</body>
</html>
"""


@get("/docs", sync_to_thread=False)
def get_page() -> Response[str]:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response(_PAGE, media_type="text/html", headers=headers)


@get("/docs/openapi.json", sync_to_thread=False)
def get_document() -> Response[bytes]:
    return Response(_document(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@get(f"/docs/{SCRIPT}", sync_to_thread=False)
def get_script() -> Response[bytes]:
    return Response(_script(), media_type="text/javascript", headers={"Cache-Control": _FOR_EVER})


@cache
def _document() -> bytes:
    return msgspec.json.encode(document())


@cache
def _script() -> bytes:
    return (files("statekeeper.api") / "static" / SCRIPT).read_bytes()
