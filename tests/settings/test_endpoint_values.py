"""An endpoint that comes by itself is under the same rules, and its faults show no value."""

import pytest

from statekeeper.core.errors import BodyRefused
from statekeeper.settings import check_endpoint

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
GOOD = {"name": "crm", "url": "https://crm.example/", "secrets": [SECRET]}


def test_the_options_come_with_their_defaults_and_fit_json():
    assert check_endpoint(GOOD | {"states": ["completed"]}) == {
        "transitions": "terminal",
        "states": ["completed"],
        "environments": [],
        "flows": [],
        "notices": [],
        "concurrency": 8,
        "rate": None,
    }


@pytest.mark.parametrize(
    ("bent", "fault"),
    [
        ({"url": "http://hidden"}, "url: takes an https:// URL (http:// for a loopback host only)"),
        ({"name": ""}, "name: takes a text of 1 to 255 characters"),
        ({"name": "hidden/x"}, "name: takes letters, digits and -._~ only, a letter or digit first"),
        ({"secrets": ["whsec_hidden"]}, "secret: must be base64 after whsec_; takes one or more of"),
        ({"concurrency": 0}, "concurrency: takes attempts at once, 1 to 256"),
        ({"hidden": 1}, "hidden: is no member of an endpoint; there are concurrency, environments"),
    ],
)
def test_what_is_wrong_is_said_by_what_it_takes(bent, fault):
    with pytest.raises(BodyRefused) as refused:
        check_endpoint(GOOD | bent)
    (said,) = refused.value.faults
    assert str(said).startswith(fault)
    assert "hidden" not in said.detail


def test_every_fault_is_said_and_what_is_missing_too():
    with pytest.raises(BodyRefused) as refused:
        check_endpoint({"name": "crm", "secrets": [SECRET], "rate": 0, "states": ["created"]})
    assert [fault.field for fault in refused.value.faults] == ["url", "states", "rate"]
