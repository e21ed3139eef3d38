"""`statekeeper why`: a session told in sentences, straight from the store."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import rich_click as click

from statekeeper.cli.flags import settings, store_flags
from statekeeper.cli.kinds import ID
from statekeeper.cli.screen import show_json, show_line
from statekeeper.cli.store import ask
from statekeeper.core.errors import NotFound


@click.command()
@store_flags
@click.argument("session_id", metavar="SESSION", type=ID)
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def why(*, session_id: UUID, as_json: bool) -> None:
    """Say why a session stands as it does: what it waits for, and why each event and each callback is where it is.

    Which subscribers a running service has is not known here; it is to `GET /v1/sessions/{sessionId}/why`.

    ```
    statekeeper why fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e
    ```
    """
    gap_timeout = timedelta(seconds=settings().ordering.gap_timeout)
    view = ask(lambda queries: queries.explanations.find(session_id, gap_timeout))
    if view is None:
        raise NotFound("session", session_id)
    if as_json:
        show_json(view)
        return
    for sentence in view.summary:
        show_line(_in_one_line(sentence))
    _show_part("Events", (event.text for event in view.events))
    _show_part("Callbacks", (callback.text for callback in view.callbacks))


def _show_part(title: str, texts: Iterable[str]) -> None:
    lines = list(texts)
    if lines:
        show_line(f"\n{title}")
    for line in lines:
        show_line(f"  {_in_one_line(line)}")


def _in_one_line(text: str) -> str:
    """A sentence names events as they came: one with a line break in its name must not look like a sentence of ours."""
    return text.replace("\n", "\\n")
