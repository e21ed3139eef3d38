"""Our signatures, judged by others: the library of Standard Webhooks, Svix's (which stands on it in its newer versions,
and reads the headers by itself), and OpenSSL, which shares no line with either.
"""

import base64
import shutil
import subprocess
import time

import pytest
import standardwebhooks
import svix.webhooks

from statekeeper.trust.signing import new_secret, parse_secret, sign

NEW, OLD = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
VERIFIERS = [standardwebhooks.Webhook, svix.webhooks.Webhook]
REFUSALS = (standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)
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


@pytest.mark.parametrize("webhook", VERIFIERS)
class TestEachImplementation:
    def test_believes_a_request_signed_with_its_secret(self, webhook):
        webhook(NEW).verify(BODY, signed(NEW))

    def test_believes_while_secrets_change_with_either(self, webhook):
        headers = signed(NEW, OLD)
        webhook(NEW).verify(BODY, headers)
        webhook(OLD).verify(BODY, headers)

    def test_does_not_believe_a_secret_that_is_used_no_more(self, webhook):
        with pytest.raises(REFUSALS):
            webhook(OLD).verify(BODY, signed(NEW))

    def test_does_not_believe_another_body(self, webhook):
        with pytest.raises(REFUSALS):
            webhook(NEW).verify(BODY + b" ", signed(NEW, OLD))

    def test_does_not_believe_another_id(self, webhook):
        with pytest.raises(REFUSALS):
            webhook(NEW).verify(BODY, signed(NEW, OLD) | {"webhook-id": "callback-2"})

    def test_does_not_believe_another_time(self, webhook):
        headers = signed(NEW, OLD)
        later = str(int(headers["webhook-timestamp"]) + 1)
        with pytest.raises(REFUSALS):
            webhook(NEW).verify(BODY, headers | {"webhook-timestamp": later})

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_does_not_believe_what_was_signed_long_ago_or_in_the_future(self, webhook, minutes):
        with pytest.raises(REFUSALS):
            webhook(NEW).verify(BODY, signed(NEW, timestamp=int(time.time()) + 60 * minutes))


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl here")
def test_openssl_makes_the_same_signature():
    headers = signed(NEW)
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + BODY
    made = subprocess.run(
        [shutil.which("openssl"), "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{'01' * 32}", "-binary"],
        input=message,
        capture_output=True,
        check=True,
    )
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(made.stdout).decode()}"


def test_the_newest_secret_signs_first():
    assert signed(NEW, OLD)["webhook-signature"].split()[0] == signed(NEW)["webhook-signature"]


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


def test_a_new_secret_is_32_bytes_that_none_before_it_was():
    secrets = {new_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert {len(parse_secret(each)) for each in secrets} == {32}
