"""5,000 callbacks to a receiver that fails, hangs and is killed, and as many to one that is well, beside it.

The receiver fails one request in three, hangs one in twenty, and is killed and started again; then the service is
killed as well, twice, while callbacks are under way. Every callback arrives; what arrives again had an attempt whose
fate nobody knew; and nothing is sent once it was settled as delivered.
"""

import asyncio
from collections import Counter, defaultdict
from uuid import UUID, uuid5

import pytest

import forge
from serving import Serving, burst
from storm import ACCEPTED, Storm

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SIGNER = forge.signer("curve", "ES256")
SESSIONS = 5000
SEED = UUID(int=20)
ATTEMPTS = """
SELECT callbacks.callback_id, attempts.number, attempts.outcome, attempts.detail
FROM callbacks JOIN attempts USING (session_id, ordinal, subscriber)
WHERE callbacks.subscriber = ? ORDER BY attempts.number
"""
DELIVERED = "SELECT count(*) FROM callbacks WHERE subscriber = ? AND status = 'delivered'"


def ends() -> list[str]:
    """Sessions that are told of by their end alone, each of which owes its callbacks at once."""
    sessions = (uuid5(SEED, str(number)) for number in range(SESSIONS))
    return [forge.token(forge.event("session.completed", 1, each), signer=SIGNER) for each in sessions]


def endpoint(receiver: Storm) -> dict:
    return {"name": receiver.name, "url": receiver.url, "secrets": [SECRET], "concurrency": 32}


def delivered(service: Serving, receiver: Storm) -> int:
    return service.sql(DELIVERED, receiver.name)[0][0]


def check(service: Serving, receiver: Storm) -> None:
    """What the receiver heard and what the store says of it agree, to the last attempt."""
    heard, accepted, attempts = Counter(), Counter(), defaultdict(list)
    for each in receiver.heard():
        heard[each.callback_id] += 1
        accepted[each.callback_id] += each.answer == ACCEPTED
    for key, *attempt in service.sql(ATTEMPTS, receiver.name):
        attempts[str(UUID(key))].append(attempt)
    assert len(attempts) == SESSIONS
    for key, made in attempts.items():
        assert [number for number, _, _ in made] == list(range(1, len(made) + 1))
        assert [outcome for _, outcome, _ in made] == ["failed"] * (len(made) - 1) + ["delivered"]
        unknown = [detail for _, _, detail in made[:-1] if not detail.startswith("HTTP ")]
        assert 1 <= accepted[key] <= 1 + len(unknown)
        assert heard[key] <= len(made)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_callback_arrives_though_receiver_and_service_are_killed(serving, tmp_path):
    with Storm(tmp_path, "sick", fail=1 / 3, hang=1 / 20) as sick, Storm(tmp_path, "well") as well:
        service = serving(
            measured=False,
            keys=forge.jwks(SIGNER),
            idnow={"algorithms": ["ES256"]},
            endpoints=[endpoint(sick), endpoint(well)],
            delivery={"schedule": [0, *[0.1] * 60], "timeout": 0.5, "breaker_pause": 0.1},
        )
        answers = asyncio.run(burst(service.port, ends()))
        assert Counter(status for status, _ in answers.values()) == {200: SESSIONS}
        for part in (1, 2):
            service.wait_until(lambda part=part: delivered(service, sick) > SESSIONS * part // 6)
            sick.kill()
            sick.start()
        for part in (3, 4):
            service.wait_until(lambda part=part: delivered(service, sick) > SESSIONS * part // 6)
            service.kill()
            service.end_leases()
            service.start()
        for receiver in (sick, well):
            service.wait_until(lambda receiver=receiver: delivered(service, receiver) == SESSIONS, within=200)
        assert service.stop() == 0
        check(service, sick)
        check(service, well)
