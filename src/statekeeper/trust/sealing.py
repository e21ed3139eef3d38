"""What may be read by nobody who has the store: sealed with a key that is not in it.

Fernet is AES-128-CBC under an HMAC-SHA256, with a time stamp. The first of the keys seals, any of them opens, so that a
key is changed by putting the new one before the old: what the old one sealed opens still, and is sealed anew when it
changes next, or all at once.

Source: the Fernet specification, and `MultiFernet` of `cryptography`.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from statekeeper.core.errors import NoEncryptionKey


class Sealer:
    """Seals and opens texts with `encryption_keys`, the newest first."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def require_key(self) -> None:
        """Raise `NoEncryptionKey` if nothing can be sealed."""
        if self._keys is None:
            raise NoEncryptionKey

    def seal(self, content: bytes) -> str:
        """Seal with the newest key; raises `NoEncryptionKey`."""
        if self._keys is None:
            raise NoEncryptionKey
        return self._keys.encrypt(content).decode()

    def open(self, sealed: str) -> bytes | None:
        """What was sealed, or None if none of the keys opens it."""
        try:
            return self._keys.decrypt(sealed.encode()) if self._keys else None
        except InvalidToken:
            return None


def new_key() -> str:
    """A key for `encryption_keys`."""
    return Fernet.generate_key().decode()
