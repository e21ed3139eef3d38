"""Every operation of the API as data, for the reference: what it takes, what it answers, what it refuses.

Examples of answers are views and examples of refusals are exceptions, so that neither can say what is never sent.
"""

from typing import Final

from statekeeper.api.operations.acts import ACTS
from statekeeper.api.operations.callbacks import CALLBACKS
from statekeeper.api.operations.endpoints import ENDPOINTS
from statekeeper.api.operations.feed import FEED
from statekeeper.api.operations.recoveries import RECOVERIES
from statekeeper.api.operations.service import SERVICE
from statekeeper.api.operations.sessions import SESSIONS
from statekeeper.api.operations.webhooks import WEBHOOKS

OPERATIONS: Final = (*WEBHOOKS, *SESSIONS, *CALLBACKS, *ACTS, *ENDPOINTS, *RECOVERIES, *FEED, *SERVICE)
