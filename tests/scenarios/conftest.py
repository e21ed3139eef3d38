"""A service for every scenario, as a process of its own, and one that all attacks of a file are made on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

import forge
from serving import Serving
from traces import check_silence


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Starts services, each with the settings it is given; none of them outlives the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Serving(tmp_path, **settings))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that knows the session `forge.story(1)`, and two keys that may verify nothing beside the good one."""
    useless = [forge.signer("weak", bits=1024).jwk(), forge.signer("encrypting").jwk(use="enc")]
    keys = {"keys": [*forge.jwks()["keys"], *useless]}
    with Serving(tmp_path_factory.mktemp("attacked"), keys=keys, measured=False) as service:
        for data in forge.story(1):
            assert service.post(forge.token(data)).status_code == 200
        yield service


@pytest.fixture
def refused(attacked: Serving) -> Callable[..., httpx.Response]:
    """Sends a body that must be refused with a status, and checks all that must be true of any refusal."""

    def refuse(status: int, body: str | bytes, **headers: str) -> httpx.Response:
        before, logged = attacked.stored(), attacked.log.stat().st_size
        answer = attacked.post(body, **headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert {"type", "title", "status", "detail"} <= answer.json().keys()
        assert answer.json()["status"] == status
        assert attacked.stored() == before
        check_silence(answer.text + attacked.log.read_bytes()[logged:].decode(), body)
        return answer

    return refuse
