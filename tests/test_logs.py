"""Logs: one line of JSON an event, on stderr, and nothing in it that looks like a secret."""

import io
import json
import logging
import sys
import warnings
from datetime import datetime, timedelta

import pytest
import structlog

from forge import story, token
from statekeeper.logs import LINES_A_MINUTE, Quota, configure_logging, redact, silence

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def lines():
    stream = io.StringIO()
    configure_logging(stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


class TestShape:
    def test_an_event_is_one_line_of_json_with_its_time_in_utc(self, lines):
        structlog.get_logger().info("keys_fetched", source="discovery", keys=2)
        (line,) = lines()
        stamp = datetime.fromisoformat(line.pop("timestamp"))
        assert stamp.utcoffset() == timedelta()
        assert line == {"event": "keys_fetched", "level": "info", "source": "discovery", "keys": 2}

    def test_what_the_standard_library_logs_takes_the_same_way(self, lines):
        logging.getLogger("uvicorn.error").warning("port %d", 8000, extra={"color_message": "x"})
        (line,) = lines()
        assert line["event"] == "port 8000"
        assert line["level"] == "warning"
        assert line["timestamp"].endswith("Z")

    def test_an_event_that_is_silenced_is_written_before_and_after_only(self, lines):
        log = structlog.get_logger()
        log.error("known", number=1)
        with silence("known"):
            log.error("known", number=2)
            log.error("unknown", number=3)
        log.error("known", number=4)
        assert [line["number"] for line in lines()] == [1, 3, 4]

    def test_a_warning_of_python_is_logged(self, lines):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", UserWarning, stacklevel=1)
        assert "UserWarning: old" in lines()[0]["event"]

    def test_an_exception_is_one_line_with_its_traceback(self, lines):
        try:
            {}["gone"]
        except KeyError:
            structlog.get_logger().exception("batch_failed")
            logging.getLogger("x").exception("foreign")
        ours, foreign = lines()
        assert ours["exception"].endswith("KeyError: 'gone'")
        assert foreign["exception"].endswith("KeyError: 'gone'")

    def test_each_request_that_httpx_makes_is_no_event(self, lines):
        logging.getLogger("httpx").info("HTTP Request: GET https://issuer.example")
        logging.getLogger("httpcore").info("connect")
        assert lines() == []

    def test_what_is_below_the_level_is_not_logged(self):
        stream = io.StringIO()
        configure_logging(logging.WARNING, stream)
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud")
        assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]

    def test_to_configure_again_writes_no_line_twice(self, lines):
        stream = io.StringIO()
        configure_logging(stream=stream)
        structlog.get_logger().info("once")
        assert len(stream.getvalue().splitlines()) == 1
        assert lines() == []

    def test_logs_go_to_stderr(self, capsys):
        configure_logging()
        structlog.get_logger().info("here")
        out, err = capsys.readouterr()
        assert out == ""
        assert json.loads(err)["event"] == "here"


class TestForAPerson:
    def test_a_terminal_gets_lines_that_are_no_json(self):
        stream = Terminal()
        configure_logging(stream=stream)
        structlog.get_logger().info("serving", port=8000)
        assert "serving" in stream.getvalue()
        assert "{" not in stream.getvalue()

    def test_a_traceback_shows_no_local_variables(self):
        stream = Terminal()
        configure_logging(stream=stream)
        hidden = "hunter" + "2"
        try:
            int(hidden[:6])
        except ValueError:
            structlog.get_logger().exception("failed")
        assert "ValueError: " in stream.getvalue()
        assert "hunter2" not in stream.getvalue()

    def test_a_terminal_is_sent_no_control_characters_of_somebody_s(self):
        stream = Terminal()
        configure_logging(stream=stream)
        structlog.get_logger().info("signed_in", name="\x1b[2Jmarta\x07\x9b1A")
        assert "\\x1b[2Jmarta\\x07\\x9b1A" in stream.getvalue()
        assert [each for each in ("\x1b[2J", "\x07", "\x9b") if each in stream.getvalue()] == []


class TestRedaction:
    def test_a_token_is_blotted_out_whole_or_in_part(self):
        text = token(story()[0])
        header, payload, _ = text.split(".")
        for part in (text, f"{header}.{payload}.", f"{header}.{payload[:9]}", f"body={text}&", text.encode()):
            assert header[:12] not in redact(part)
            assert payload[:9] not in redact(part)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"signed by {SECRET}.", "signed by ***."),
            ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
            ("{'authorization': b'bearer abc'}", "{'authorization': b'bearer ***'}"),
            ("postgresql://user:pa/ss@host/d", "postgresql://user:***@host/d"),
            ("session.completed came for https://crm.example/a", "session.completed came for https://crm.example/a"),
            ("bank.hooks:open_account", "bank.hooks:open_account"),
        ],
    )
    def test_what_looks_like_a_secret_is_blotted_out_and_nothing_else(self, text, shown):
        assert redact(text) == shown

    def test_redaction_goes_into_mappings_lists_and_objects(self):
        value = {
            "token": "x",
            "Authorization": "y",
            "deep": [{"a": (SECRET, 1)}, {SECRET}],
            "error": ValueError(SECRET),
        }
        shown = {"token": "***", "Authorization": "***", "deep": [{"a": ["***", 1]}, ["***"]], "error": "***"}
        assert redact(value) == shown

    @pytest.mark.parametrize("value", [None, True, 3, 0.5])
    def test_what_is_no_text_stays_as_it_is(self, value):
        assert redact(value) is value

    def test_no_secret_is_in_any_line_wherever_it_stands(self, lines):
        text = token(story()[0])
        log = structlog.get_logger()
        log.info(text, body=text, nested={"list": [text, SECRET]}, secrets=["plain"])
        logging.getLogger("x").error("refused %s %s", text, SECRET)
        try:
            {}[text]
        except KeyError as error:
            log.exception("failed", error=error)
        written = json.dumps(lines())
        assert len(lines()) == 3
        assert text.split(".")[0] not in written
        assert text.split(".")[2] not in written
        assert SECRET not in written
        assert "plain" not in written
        assert sys.exc_info()[0] is None


class TestQuota:
    def refused(self, quota, reason="signature"):
        try:
            return quota(None, "warning", {"event": "webhook_refused", "reason": reason})
        except structlog.DropEvent:
            return None

    def test_lines_of_one_kind_are_at_most_so_many_a_minute(self, lines):
        for _ in range(LINES_A_MINUTE * 3):
            structlog.get_logger().warning("webhook_refused", reason="signature")
        assert LINES_A_MINUTE <= len(lines()) <= LINES_A_MINUTE * 2  # a minute may end in between

    def test_another_kind_has_lines_of_its_own(self):
        quota = Quota(1, clock=lambda: 0.0)
        assert [self.refused(quota, reason) is not None for reason in ("signature", "signature", "expired")] == [
            True,
            False,
            True,
        ]

    def test_the_next_minute_has_lines_again_and_the_first_says_how_many_were_left_out(self):
        now = 0.0
        quota = Quota(2, clock=lambda: now)
        assert [self.refused(quota) is not None for _ in range(5)] == [True, True, False, False, False]
        now = 60.0
        assert self.refused(quota)["left_out"] == 3
        assert "left_out" not in self.refused(quota)

    def test_a_minute_of_silence_forgets_nothing(self):
        now = 0.0
        quota = Quota(1, clock=lambda: now)
        assert [self.refused(quota) is not None for _ in range(2)] == [True, False]
        now = 180.0
        assert self.refused(quota)["left_out"] == 1

    @pytest.mark.parametrize("method", ["error", "exception", "critical"])
    def test_an_error_is_always_written(self, method):
        quota = Quota(1, clock=lambda: 0.0)
        assert [quota(None, method, {"event": "callback_dead"}) for _ in range(3)] == [{"event": "callback_dead"}] * 3
