"""How `serve` starts and ends, beyond what the scenarios see: odd hosts and stores, signals, a retry from outside."""

import json
import signal
import socket
from datetime import datetime

import pytest

import forge
from receiver import Answer, receiving
from serving import Serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKENS = [{"name": "desk", "sha256": "9f" * 32, "role": "admin"}]


@pytest.fixture
def service(tmp_path):
    with Serving(tmp_path) as started:
        yield started


def ended_in(serving, *arguments, **environment):
    refused = serving.run("serve", *arguments, **environment)
    assert "Traceback" not in refused.stderr
    return refused.returncode, refused.stderr


class TestAHostThatCannotBeListenedOn:
    @pytest.mark.parametrize(
        ("host", "why"),
        [
            ("192.0.2.1", "Cannot assign requested address"),
            ("x" * 64 + ".example", "it is no host name"),
        ],
    )
    def test_is_a_bad_setting(self, tmp_path, host, why):
        code, said = ended_in(Serving(tmp_path, tokens=TOKENS), "--host", host, "--port", "8000")
        assert code == 2
        assert said.startswith(f"Error: host: {host}:8000 cannot be listened on: {why}")

    def test_is_not_ipv6_where_there_is_that(self, tmp_path):
        if not _has_ipv6():
            pytest.skip("this machine has no IPv6")
        serving = Serving(tmp_path, host="::1")
        serving.launch()
        (line,) = [serving.wait_for_log("serving")]
        assert line["host"] == "::1"
        with socket.create_connection(("::1", line["port"])):
            pass
        assert serving.stop() == 0


class TestAStoreThatCannotBeServed:
    def test_is_said_in_its_own_words(self, tmp_path):
        serving = Serving(tmp_path)
        serving.store.write_bytes(b"no database, but long enough to have been one")
        code, said = ended_in(serving)
        assert (code, said) == (2, f"Error: {serving.store} cannot be the store: file is not a database.\n")

    def test_is_another_thing_than_a_server_that_does_not_answer(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        code, said = ended_in(Serving(tmp_path, database_url=f"postgresql://127.0.0.1:{port}/db"))
        assert code == 1
        assert said.startswith("Error: The store does not answer, or is full.\n  ")

    def test_on_postgresql_has_no_schema_and_names_the_command(self, tmp_path, postgres_server):
        postgres_server.psql("CREATE DATABASE unserved;")
        serving = Serving(tmp_path, database_url=postgres_server.get_uri(database="unserved"))
        code, said = ended_in(serving)
        assert (code, said) == (2, "Error: The store has no schema yet; run `statekeeper db upgrade`.\n")
        assert serving.run("db", "upgrade").returncode == 0
        serving.start()
        assert serving.stop() == 0


class TestSignals:
    def test_ctrl_c_ends_it_as_well_as_sigterm(self, service):
        service.process.send_signal(signal.SIGINT)
        assert service.wait() == 0
        assert service.logged("stopping")
        assert service.logged("stopped")

    def test_one_that_comes_twice_changes_nothing(self, service):
        service.process.send_signal(signal.SIGTERM)
        service.process.send_signal(signal.SIGTERM)
        assert service.wait() == 0


def test_a_variable_that_is_no_setting_is_logged(tmp_path):
    serving = Serving(tmp_path)
    serving.start(STATEKEEPER_DATABSE_URL="x")
    assert [line["name"] for line in serving.logged("unknown_variable")] == ["STATEKEEPER_DATABSE_URL"]
    assert serving.stop() == 0


def test_the_server_does_not_name_itself(service):
    answer = service.http.get("/health/live")
    assert "server" not in answer.headers


def test_a_retry_at_the_command_line_takes_effect_within_two_seconds(tmp_path):
    with receiving(Answer(503)) as crm:
        endpoint = {"name": "crm", "url": crm.url, "secrets": [SECRET]}
        with Serving(tmp_path, endpoints=[endpoint], delivery={"schedule": [0]}) as service:
            for event in forge.story(7):
                service.post(forge.token(event))
            crm.wait_for(1)
            service.wait_until(lambda: service.sql("SELECT 1 FROM callbacks WHERE status = 'dead'"))
            callback_id = crm.requests[0].json()["data"]["callbackId"]
            asked = json.loads(service.run("callbacks", "retry", callback_id, "--json").stdout)
            _, again = crm.wait_for(2)
            assert again.headers["webhook-id"] == callback_id
            service.wait_until(lambda: service.sql("SELECT 1 FROM callbacks WHERE status = 'delivered'"))
            (shown,) = json.loads(service.run("callbacks", "--json").stdout)["items"]
            assert [attempt["outcome"] for attempt in shown["attempts"]] == ["failed", "delivered"]
            waited = _time(shown["attempts"][1]["at"]) - _time(asked["nextAttemptAt"])
            assert waited.total_seconds() < 2
            assert service.stop() == 0


def _time(text):
    return datetime.fromisoformat(text)


def _has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
