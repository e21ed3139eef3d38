"""What is sealed opens with its key, for as long as that is among the keys, and with nothing else."""

import pytest

from statekeeper.core.errors import NoEncryptionKey
from statekeeper.trust.sealing import Sealer, new_key

OLD, NEW = new_key(), new_key()


def test_what_is_sealed_opens_with_the_same_key_and_no_other():
    sealed = Sealer([OLD]).seal(b"secret")
    assert "secret" not in sealed
    assert Sealer([OLD]).open(sealed) == b"secret"
    assert Sealer([NEW]).open(sealed) is None


def test_after_a_rotation_the_old_key_still_opens_and_the_new_one_seals():
    before = Sealer([OLD]).seal(b"secret")
    rotated = Sealer([NEW, OLD])
    assert rotated.open(before) == b"secret"
    assert Sealer([NEW]).open(rotated.seal(b"secret")) == b"secret"


@pytest.mark.parametrize("bent", ["", "x", "gAAAAA", "é"])
def test_what_was_never_sealed_does_not_open(bent):
    assert Sealer([OLD]).open(bent) is None


def test_what_was_tampered_with_does_not_open():
    sealed = Sealer([OLD]).seal(b"secret")
    assert Sealer([OLD]).open(sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")) is None


def test_without_a_key_nothing_is_sealed_and_nothing_opens():
    sealer = Sealer()
    with pytest.raises(NoEncryptionKey, match="statekeeper endpoints new-key"):
        sealer.seal(b"secret")
    with pytest.raises(NoEncryptionKey, match="encryption_keys"):
        sealer.require_key()
    assert sealer.open(Sealer([OLD]).seal(b"secret")) is None
