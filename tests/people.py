"""Somebody to act."""

from statekeeper.core.acts import Actor, Via

ANNA = Actor("anna", "admin", Via.API, "192.0.2.7")
ACCOUNT = {"iss": "https://id.bank.example", "sub": "248289761001"}
MARTA = Actor("marta", "support", Via.CONSOLE, "192.0.2.8", ACCOUNT)
