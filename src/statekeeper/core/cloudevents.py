"""What a broker is given: the end of a session as a CloudEvent, whole in one JSON object.

`data` is the `data` of the callback's body, and everything else is drawn from it, so that the bytes are the same on
every attempt. The id is the callbackId, for a consumer to deduplicate by. `source` is the same for every event of every
node; `type` is that of the HTTP callback, without a domain before it, since no domain is Statekeeper's to claim.

Source: CloudEvents 1.0.2, "Context Attributes", and its JSON format, "Handling of data".
"""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

CONTENT_TYPE: Final = "application/cloudevents+json"
SOURCE: Final = "/statekeeper/sessions"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event: its id and type, the session that it is about, if any, and the bytes of the whole."""

    id: str
    type: str
    subject: str | None
    content: bytes


def as_cloudevent(callback_id: UUID, body: str) -> CloudEvent:
    """The event that says what a callback's body says: `type`, `timestamp` and `data`."""
    said = json.loads(body)
    subject = said["data"].get("sessionId")
    event = {
        "specversion": "1.0",
        "id": str(callback_id),
        "source": SOURCE,
        "type": said["type"],
        **({} if subject is None else {"subject": subject}),
        "time": said["timestamp"],
        "datacontenttype": "application/json",
        "data": said["data"],
    }
    content = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return CloudEvent(str(callback_id), said["type"], subject, content.encode())
