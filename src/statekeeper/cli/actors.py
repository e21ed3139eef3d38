"""Who acts at the command line: whoever is logged in, on this machine, with all that the store's owner may do."""

import getpass
import os
import socket

from statekeeper.core.acts import Actor, Via


def actor() -> Actor:
    """For the audit trail."""
    return Actor(_user(), "admin", Via.CLI, socket.gethostname() or None)


def _user() -> str:
    """By the environment or the system's list of users; in a container there may be neither."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}"
