import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from receiver import Answer, BlockingReceiver, Request, receiving
from statekeeper.cli import commands
from statekeeper.cli import simulate as module
from statekeeper.cli.simulate import Run, counts
from statekeeper.simulator.tally import Tally

KEYS = "keys.json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["simulate", *map(str, arguments)])


def verifier(path: Path, audience: str, issuer: str) -> Callable[[Request], Answer]:
    """A service that believes what the keys in the file verify."""

    def answer(request: Request) -> Answer:
        if request.method != "POST":
            return Answer(405)
        keys = jwt.PyJWKSet.from_dict(json.loads(path.read_text()))
        key = keys[jwt.get_unverified_header(request.body)["kid"]]
        try:
            claims = jwt.decode(request.body, key, algorithms=["RS256"], audience=audience, issuer=issuer)
        except jwt.InvalidTokenError:
            return Answer(401)
        right = claims["sub"] == claims["data"]["eventId"]
        return Answer(body=b'{"disposition": "applied"}') if right else Answer(401)

    return answer


@pytest.fixture
def service(tmp_path: Path) -> Iterator[BlockingReceiver]:
    with receiving(otherwise=verifier(tmp_path / KEYS, "us", "https://issuer.test")) as listening:
        yield listening


def plan(service: BlockingReceiver, tmp_path: Path) -> list[object]:
    to = ["--url", service.url, "--audience", "us", "--issuer", "https://issuer.test", "--jwks-file", tmp_path / KEYS]
    return [*to, "--issuer-port", 0, "--sessions", 30, "--speed", 1e6, "--rate", 5000]


def test_a_right_service_passes(service: BlockingReceiver, tmp_path: Path):
    result = run(*plan(service, tmp_path))
    assert result.exit_code == 0, result.output
    assert "Issuer https://issuer.test, its keys at http://127.0.0.1:" in result.stderr
    assert "Every event was taken, every forgery refused." in result.stdout


def test_counts_come_as_json(service: BlockingReceiver, tmp_path: Path):
    result = run(*plan(service, tmp_path), "--json", "--seed", 5)
    counts = json.loads(result.stdout)
    assert counts["asExpected"]
    assert counts["sent"] == counts["taken"] > 0
    assert len(service.requests) == counts["requests"] + 1


def test_a_seed_reproduces_a_run(service: BlockingReceiver, tmp_path: Path):
    first, again, other = (
        json.loads(run(*plan(service, tmp_path), "--json", "--seed", seed).stdout) for seed in (5, 5, 6)
    )
    assert first == again != other


def test_a_service_that_believes_everybody_fails():
    with receiving() as gullible:
        result = run(
            "--url", gullible.url, "--issuer-port", 0, "--sessions", 40, "--speed", 1e6, "--rate", 5000, "--faults", 5
        )
    assert result.exit_code == 1
    assert "forged (" in result.stdout
    assert "answered 200" in result.stdout
    assert " more\n" in result.stdout
    assert "Every event was taken" not in result.stdout


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_the_verdict_is_the_exit_code(monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]):
    well, ill = Tally(), Tally(failed={("e1", None): "something"})
    monkeypatch.setattr(module, "_simulate", lambda run: well if run.seed == 1 else ill)
    assert run("--seed", 1, *as_json).exit_code == 0
    assert run("--seed", 2, *as_json).exit_code == 1


def test_where_nobody_answered_the_counts_say_so():
    told = [what.strip() for what, _ in counts(Tally(answers=Counter({"200": 2, "ReadError": 1})))]
    assert told[-2:] == ["answered 200", "no answer: ReadError"]


def test_where_nobody_listens_nothing_is_sent():
    with receiving() as gone:
        pass
    result = run("--url", gone.url, "--issuer-port", 0)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: Nothing answers at {gone.url}: ")


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--issuer-port", taken.getsockname()[1])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The issuer cannot be: ")


def test_another_machine_can_be_sent_a_little_slowly():
    options = {"audience": None, "seed": 1, "faults": 1, "speed": 4320, "issuer": None, "issuer_port": 0}
    bounds = {"sessions": 1000, "rate": 20, "connections": 4}
    Run(url="https://somebody.example/hook", jwks_file=None, as_json=False, yes=True, **options, **bounds).check()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--url", "http://somebody.example/hook"], "must be https"),
        (["--url", "https://somebody.example/hook"], "not this machine"),
        (
            [
                "--url",
                "https://somebody.example/hook",
                "--yes",
                "--rate",
                "20",
                "--connections",
                "4",
                "--sessions",
                "1001",
            ],
            "at most 1000",
        ),
        (["--url", "https://somebody.example/hook", "--yes", "--connections", "4"], "at most 20"),
        (["--url", "https://somebody.example/hook", "--yes", "--rate", "20"], "at most 4"),
        (["--jwks-file", "no/such/directory/keys.json"], "directory does not exist"),
        (["--sessions", "0"], "--sessions"),
    ],
)
def test_bad_usage_sends_nothing(arguments: list[str], complaint: str):
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", "").split())
