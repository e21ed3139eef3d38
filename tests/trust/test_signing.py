"""Our signatures, judged by an independent implementation of Standard Webhooks."""

import base64
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from statekeeper.trust.signing import parse_secret, sign

NEW, OLD = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
BODY = '{"type":"session.completed","data":{"note":"Grüße"}}'.encode()


def signed(*secrets, timestamp=None, body=BODY):
    return sign(secrets, "callback-1", timestamp or int(time.time()), body)


def test_the_specifications_own_example():
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_with_the_secret_believes_it():
    Webhook(NEW).verify(BODY, signed(NEW))


def test_while_secrets_change_a_receiver_with_either_believes_it():
    headers = signed(NEW, OLD)
    Webhook(NEW).verify(BODY, headers)
    Webhook(OLD).verify(BODY, headers)
    assert headers["webhook-signature"].split()[0] == signed(NEW)["webhook-signature"]


@pytest.mark.parametrize("bent", ["webhook-id", "webhook-timestamp"])
def test_a_receiver_does_not_believe_other_headers(bent):
    headers = signed(NEW)
    headers[bent] += "1" if bent == "webhook-id" else ""
    headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + (bent == "webhook-timestamp"))
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY, headers)


def test_a_receiver_does_not_believe_another_body_or_secret():
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" ", signed(NEW))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY, signed(NEW))


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_holds_24_to_64_bytes(size):
    assert parse_secret(f"whsec_{base64.b64encode(bytes(size)).decode()}") == bytes(size)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        NEW.removeprefix("whsec_"),
        NEW.replace("whsec_", "WHSEC_"),
        f" {NEW}",
        f"{NEW}\n",
        NEW.rstrip("="),
        f"{NEW}=",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSö",
        f"whsec_{base64.b64encode(bytes(23)).decode()}",
        f"whsec_{base64.b64encode(bytes(65)).decode()}",
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(secret):
    with pytest.raises(ValueError, match="must") as fault:
        parse_secret(secret)
    assert "MfKQ" not in str(fault.value)
    assert NEW.removeprefix("whsec_") not in str(fault.value)
