"""How a service ends, and what keeps one from starting: by its exit code and by what it says."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

import forge
from serving import Serving

SABOTAGE = """
from statekeeper import SessionEnded, on_terminal
from statekeeper.engine import Engine

@on_terminal
def told(ended: SessionEnded) -> None: ...

async def die(engine: Engine) -> None:
    raise RuntimeError("sabotage")

Engine.watch_gaps = die
"""


def test_a_service_that_is_told_to_stop_exits_with_0(serving):
    service = serving()
    created, completed = forge.story(1)
    service.post(forge.token(created))
    assert service.stop() == 0
    service.start()
    answer = service.post(forge.token(completed)).json()
    assert (answer["disposition"], answer["state"]) == ("applied", "completed")
    assert service.stop() == 0


def test_long_waits_are_answered_at_once_when_the_service_is_told_to_stop(serving):
    service = serving()
    created, _ = forge.story(2)
    known = service.post(forge.token(created)).json()["sessionId"]
    with ThreadPoolExecutor() as threads:
        waits = [threads.submit(service.http.get, f"/v1/sessions/{each}?wait=60") for each in (known, uuid4())]
        service.wait_until(lambda: _connections(service) >= len(waits) and service.is_ready())
        assert service.stop() == 0
        there, unknown = (wait.result() for wait in waits)
    assert (there.status_code, there.json()["state"]) == (200, "created")
    assert unknown.status_code == 404
    assert there.elapsed.total_seconds() < 30


def test_streams_end_at_once_when_the_service_is_told_to_stop(serving):
    service = serving()
    created, completed = forge.story(3)
    session = service.post(forge.token(created)).json()["sessionId"]
    paths = ("/v1/feed/stream?transitions=all&after=0", f"/v1/sessions/{session}/stream", "/v1/feed?after=1&wait=60")
    heard: list[str] = []
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(_listen, service, path, heard) for path in paths]
        service.wait_until(lambda: len(heard) == 2 and _connections(service) >= len(paths) and service.is_ready())
        assert service.stop() == 0
        feed, steps, page = (answer.result() for answer in answers)
    assert heard == ["event: session.created"] * 2
    assert json.loads(page[0]) == {"items": [], "nextCursor": "1"}
    assert max(seconds for _, seconds in (feed, steps, page)) < 8
    assert not service.logged("request_failed")
    service.start()
    service.post(forge.token(completed))
    again = service.http.get(f"/v1/sessions/{session}/stream", headers={"last-event-id": "1"})
    assert (again.text.count("event: "), again.text.count("event: session.completed")) == (1, 1)


def _listen(service: Serving, path: str, heard: list[str]) -> tuple[str, float]:
    """All that is answered, and after how many seconds; each event is noted as it comes."""
    said = ""
    with service.http.stream("GET", path) as answer:
        for line in answer.iter_lines():
            heard += [line] if line.startswith("event: ") else []
            said += f"{line}\n"
    return said, answer.elapsed.total_seconds()


def _connections(service: Serving) -> int:
    """How many connections the service has: one for each request that it holds."""
    lines = [line.split() for line in Path(f"/proc/{service.process.pid}/net/tcp").read_text().splitlines()]
    return sum(line[1].endswith(f":{service.port:04X}") and line[3] == "01" for line in lines)


def test_a_second_service_on_the_same_file_is_refused_and_the_first_goes_on(serving):
    service = serving()
    second = service.run("serve")
    assert second.returncode == 2
    assert "store.db is served by another process" in second.stderr
    assert "Traceback" not in second.stderr
    assert service.post(forge.token(forge.story(3)[0])).status_code == 200


def test_a_port_that_is_taken_is_said_and_exits_with_1(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = Serving(tmp_path).run("serve", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr == f"Error: 127.0.0.1:{port} is taken by another process; choose another with --port.\n"
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"idnow": {"audience": None}}, "idnow.audience"),
        ({"idnow": {"issuer": "http://auth.issuer.test"}}, "idnow.issuer"),
        ({"idnow": {"algorithms": ["HS256"]}}, "idnow.algorithms"),
        ({"idnow": {"jwks_file": "nowhere.json"}}, "idnow.jwks_file"),
        ({"host": "0.0.0.0"}, "host"),  # noqa: S104 -- it must be refused
        ({"delivery": {"timeout": 0}}, "delivery.timeout"),
        ({"colour": "red"}, "colour"),
        ({"callbacks": ["nowhere.py"]}, "nowhere.py"),
        ({"keys": {"keys": "none"}}, "idnow.jwks_file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_setting_stops_the_start_with_a_line_that_names_it(tmp_path, settings, named):
    refused = Serving(tmp_path, **settings).run("serve")
    assert refused.returncode == 2
    assert named in refused.stderr
    assert "Traceback" not in refused.stderr


def test_all_bad_settings_are_told_at_once(tmp_path):
    refused = Serving(tmp_path, port="x", delivery={"timeout": -1}).run("serve")
    assert refused.returncode == 2
    first, second = (line.removeprefix("Error: ") for line in refused.stderr.splitlines())
    assert first.startswith('port: got "x"')
    assert second.startswith("delivery.timeout: got -1")


def test_a_store_that_is_newer_than_the_program_is_refused_and_left_alone(serving):
    service = serving()
    service.stop()
    service.sql("UPDATE alembic_version SET version_num = 'of tomorrow'")
    before = service.store.read_bytes()
    refused = service.run("serve")
    assert refused.returncode == 2
    assert "newer than this program" in refused.stderr
    assert service.store.read_bytes() == before


def test_a_service_whose_task_has_died_ends_with_1(tmp_path):
    (tmp_path / "sabotage.py").write_text(SABOTAGE)
    service = Serving(tmp_path, callbacks=["sabotage.py"])
    service.launch()
    assert service.wait() == 1
    (death,) = service.logged("task_died")
    assert (death["task"], death["level"]) == ("gaps", "critical")


def test_every_line_of_the_log_is_json(serving):
    service = serving()
    service.post(forge.token(forge.story(4)[0]))
    service.post("no token")
    service.stop()
    assert all(json.loads(line)["event"] for line in service.log.read_text().splitlines())
