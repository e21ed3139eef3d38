"""`statekeeper listen` as a process of its own, sent what our own signer has signed."""

import json
import signal
import socket
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from uuid import UUID

import httpx
import pytest

from posted import AT, OTHER, SECRET, SESSION, body_of, ended, signed
from statekeeper import LastStep
from statekeeper.core.notices import Message, callback_dead, endpoint_disabled, endpoint_recovered, gap_closed
from statekeeper.settings import Settings

CALLBACK = UUID(int=1)
STEP = LastStep("END-ACCEPT", None, "COMPLETED")
GAP = {"sequences": [1, 3], "contiguous": False, "inferred": ["session.paused"], "given_up": [2]}
BODY = body_of(ended(flow_id="f\x1b[31m1", last_step=STEP, **GAP))
CREATED = body_of(ended(state="created"), final=False)


class Listening:
    """The process; `said` is what it printed first on stderr."""

    def __init__(self, process):
        self._process = process
        self.said = process.stderr.readline()
        self.url = self.said.removeprefix("Listening at ").split(" ")[0].strip().removesuffix(".")

    def post(self, body=BODY, secret=SECRET, **options):
        return httpx.post(self.url, content=body, headers=signed(body, secret), trust_env=False, **options)

    def end(self, by=signal.SIGTERM):
        """What it printed, a line each, once it has been told to end."""
        self._process.send_signal(by)
        out, err = self._process.communicate(timeout=30)
        self.said += err
        assert (self._process.returncode, "Traceback" in err) == (0, False), err
        return out.splitlines()


@contextmanager
def listening(*arguments):
    command = [sys.executable, "-m", "statekeeper", "listen", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Listening(process)
        finally:
            process.kill()


def test_callbacks_are_shown_to_a_person():
    with listening("--secret", SECRET, "--receipt", "B-17") as endpoint:
        answers = [endpoint.post(), endpoint.post(), endpoint.post(secret=OTHER), endpoint.post(CREATED)]
        lines = endpoint.end()
    assert [answer.status_code for answer in answers] == [200, 200, 401, 200]
    assert answers[0].json() == {"receipt": "B-17"}
    assert answers[2].json() == {"detail": "No matching signature found"}
    assert lines[0].endswith(f"Z  200  session.completed {SESSION}")
    assert lines[1] == (
        f"    callback {CALLBACK}, ended 2026-01-08T08:35:37.581Z, environment live, flow f\\x1b[31m1, "
        "last step END-ACCEPT COMPLETED, events 1 3, inferred session.paused, given up on 2"
    )
    assert lines[2].endswith(f"{SESSION}  repeat")
    assert lines[4].endswith("Z  401  No matching signature found")
    assert lines[5].endswith(f"Z  200  session.created {SESSION}  repeat")
    assert lines[6] == f"    callback {CALLBACK}, at 2026-01-08T08:35:37.581Z"
    assert "What came" in lines
    assert [line.split() for line in lines[-2:]] == [["answered", "200", "3"], ["answered", "401", "1"]]
    assert SECRET not in endpoint.said + str(lines)


def test_a_notice_says_on_its_line_what_it_is_about():
    dead = UUID(int=7)
    notices = [
        callback_dead(dead, SESSION, "crm", 9, "HTTP 500", AT),
        endpoint_disabled("crm", "HTTP 410", AT),
        endpoint_recovered("crm", None, AT),
        gap_closed(SESSION, (2,), ("session.paused",), AT),
    ]
    with listening("--secret", SECRET) as endpoint:
        for notice in notices:
            endpoint.post(Message("ops", CALLBACK, notice).body.encode())
        lines = endpoint.end()
    assert [line.partition("  200  ")[2].removesuffix("  repeat") for line in lines[:8:2]] == [
        f"callback.dead {dead} of crm, session {SESSION}",
        "endpoint.disabled crm",
        "endpoint.recovered crm",
        f"session.gap_closed {SESSION}",
    ]
    assert lines[1] == f"    notice {CALLBACK}, at 2026-01-08T08:35:37.581Z"


def test_callbacks_are_lines_of_json_to_a_machine_and_the_last_line_counts():
    with listening("--secret", OTHER, "--secret", SECRET, "--json") as endpoint:
        for secret in (SECRET, SECRET, f"{SECRET[:-2]}A="):
            endpoint.post(secret=secret)
        first, again, refused, counts = map(json.loads, endpoint.end(signal.SIGINT))
    assert first.pop("at") < again["at"]
    assert first == {
        "verified": True,
        "reason": None,
        "callbackId": str(CALLBACK),
        "type": "session.completed",
        "timestamp": "2026-01-08T08:35:37.581Z",
        "data": json.loads(BODY)["data"],
        "repeat": False,
        "status": 200,
    }
    assert again["repeat"]
    assert (refused["verified"], refused["status"], refused["data"]) == (False, 401, None)
    assert counts["counts"]["answers"] == {"200": 2, "401": 1}
    assert counts["counts"]["repeats"] == 1


def test_without_a_secret_it_makes_one_that_can_be_pasted():
    with listening("--json") as endpoint:
        table = "".join(endpoint._process.stderr.readline() for _ in range(5))
        (pasted,) = Settings(**tomllib.loads(table)).endpoints
        secret = pasted.secrets[0].get_secret_value()
        assert endpoint.post(secret=secret).status_code == 200
        assert pasted.url == endpoint.url
        assert secret not in "".join(endpoint.end())


@pytest.mark.parametrize(
    ("switches", "status", "headers"),
    [
        (["--gone"], 410, {}),
        (["--status", "503", "--retry-after", "7"], 503, {"retry-after": "7"}),
        (["--fail", "1"], 500, {}),
        (["--status", "204", "--delay", "0.05"], 204, {}),
    ],
)
def test_a_switch_makes_it_difficult(switches, status, headers):
    with listening("--secret", SECRET, *switches) as endpoint:
        answer = endpoint.post()
        assert f"  {status}  session.completed" in endpoint.end()[0]
    assert answer.status_code == status
    assert headers.items() <= dict(answer.headers).items()


def test_one_that_hangs_still_ends_when_it_is_told():
    with listening("--secret", SECRET, "--hang", "1", "--json") as endpoint:
        with pytest.raises(httpx.ReadTimeout):
            endpoint.post(timeout=0.3)
        first, counts = map(json.loads, endpoint.end())
    assert (first["status"], counts["counts"]["unanswered"]) == (None, 1)


def test_a_port_that_is_taken_is_told(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("listen", "--port", port)
    told = f"Error: 127.0.0.1:{port} is taken by another process; choose another with --port.\n"
    assert (result.exit_code, result.stderr, result.stdout) == (1, told, "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--secret", SECRET[:-1]], "must be base64 after whsec_"),
        (["--host", "192.0.2.1"], "cannot be listened on"),
        (["--host", "x" * 64 + ".example"], "takes a host name or an address"),
        (["--host", ""], "takes a host name or an address"),
        (["--status", "100"], "takes an HTTP status like 503"),
        (["--status", "gone"], "takes an HTTP status like 503"),
        (["--gone", "--status", "503"], "give one of them"),
        (["--fail", "1.1"], "--fail"),
    ],
)
def test_bad_usage_is_told(run, arguments, complaint):
    result = run("listen", *arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", "").split())
    assert SECRET[6:-1] not in result.output
