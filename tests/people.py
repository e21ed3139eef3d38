"""Somebody to act."""

from statekeeper.core.acts import Actor, Via

ANNA = Actor("anna", "admin", Via.API, "192.0.2.7")
