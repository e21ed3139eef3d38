"""User functions as subscribers: how they are found, and how they are called."""

import asyncio
import contextlib
import importlib
import json
import sys
import threading
from textwrap import dedent
from uuid import UUID

import pytest

from statekeeper.core.errors import OperatorError
from statekeeper.core.events import LastStep
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.crews import THREADS
from statekeeper.delivery.handlers import Handler, check_names, check_states, load_handlers
from statekeeper.delivery.registry import forget
from statekeeper.store.attempts import Claim

FINALS = ("completed", "expired", "aborted", "error")
BODY = {
    "type": "session.completed",
    "timestamp": "2026-01-08T08:35:37.581Z",
    "data": {
        "callbackId": str(UUID(int=1)),
        "sessionId": str(UUID(int=2)),
        "flowId": None,
        "environment": "live",
        "state": "completed",
        "endedAt": "2026-01-08T08:35:37.581Z",
        "lastStep": {"id": "END-ACCEPT", "type": "END", "status": None},
        "sequences": [1, 2],
        "contiguous": True,
    },
}
CLAIM = Claim(UUID(int=1), UUID(int=2), 2, "crm", json.dumps(BODY), number=1, tries=0)
ONE = """
    from statekeeper import on_terminal

    @on_terminal("completed")
    def hear(ended): ...
"""


@pytest.fixture(autouse=True)
def _python_as_it_was(monkeypatch, tmp_path):
    """Each test has a path and modules of its own, and works in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        forget(name)
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def write(tmp_path):
    def write(name, source=ONE):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(dedent(source))
        importlib.invalidate_caches()
        return str(path)

    return write


def names(handlers):
    return [handler.subscriber.name for handler in handlers]


def test_a_file_is_the_module_of_its_stem(write):
    (handler,) = load_handlers([write("hooks.py")], FINALS)
    assert handler.subscriber == Subscriber("hooks:hear", frozenset({"completed"}))
    assert sys.modules["hooks"].hear.__module__ == "hooks"


def test_a_relative_file_is_found_from_the_working_directory(write):
    write("hooks.py")
    assert names(load_handlers(["hooks.py"], FINALS)) == ["hooks:hear"]


def test_an_import_path_is_found_from_the_working_directory(write):
    write("shop/__init__.py", "")
    write("shop/kyc.py")
    assert names(load_handlers(["shop.kyc"], FINALS)) == ["shop.kyc:hear"]


def test_a_package_brings_the_functions_of_the_modules_it_imports(write):
    write("shop/__init__.py", "from shop import kyc")
    write("shop/kyc.py")
    assert names(load_handlers(["shop"], FINALS)) == ["shop.kyc:hear"]


def test_handlers_come_in_the_order_of_paths_and_of_their_source(write):
    two = "from statekeeper import on_terminal\nfor name in 'ab': on_terminal(name='{}' + name)(lambda ended: None)"
    paths = [write("second.py", two.format("2")), write("first.py", two.format("1"))]
    assert names(load_handlers(paths, FINALS)) == ["2a", "2b", "1a", "1b"]


def test_a_file_may_import_its_neighbours(write):
    write("elsewhere/prices.py", "FEE = 3")
    source = ONE + "\n    from prices import FEE\n"
    assert names(load_handlers([write("elsewhere/hooks.py", source)], FINALS)) == ["hooks:hear"]


def test_one_module_named_twice_is_loaded_once(write):
    path = write("hooks.py")
    assert names(load_handlers([path, "hooks.py", "hooks"], FINALS)) == ["hooks:hear"]
    assert names(load_handlers(["hooks"], FINALS)) == ["hooks:hear"]


def test_a_module_that_was_imported_already_is_not_run_again(write):
    path = write("hooks.py")
    sys.path.append(".")
    sys.path.append(str(path.removesuffix("/hooks.py")))
    hear = importlib.import_module("hooks").hear
    load_handlers([path], FINALS)
    assert sys.modules["hooks"].hear is hear


def test_a_later_load_has_nothing_left_over_from_an_earlier_one(write):
    load_handlers([write("hooks.py")], FINALS)
    changed = write("hooks.py", ONE.replace("hear", "note"))
    assert names(load_handlers([changed], FINALS)) == ["hooks:note"]
    moved = write("elsewhere/hooks.py", ONE.replace("hear", "look"))
    assert names(load_handlers([moved], FINALS)) == ["hooks:look"]
    assert load_handlers([], FINALS) == ()


def test_two_files_of_one_stem_are_refused(write):
    paths = [write("hooks.py"), write("elsewhere/hooks.py")]
    with pytest.raises(
        OperatorError, match=r"elsewhere/hooks.py would be the module hooks, which is taken by .*/hooks"
    ):
        load_handlers(paths, FINALS)


@pytest.mark.parametrize(("name", "owner"), [("json.py", "json/__init__.py"), ("sys.py", "Python's own")])
def test_a_file_named_like_a_loaded_module_is_refused(write, name, owner):
    with pytest.raises(OperatorError, match=f"is taken by .*{owner}"):
        load_handlers([write(name)], FINALS)


def test_a_file_named_like_an_installed_module_is_refused(write):
    write("installed/hooks_of_others.py", "")
    sys.path.append("installed")
    with pytest.raises(OperatorError, match=r"is taken by .*installed/hooks_of_others.py; rename the file"):
        load_handlers([write("hooks_of_others.py")], FINALS)


def test_a_stem_with_a_dot_is_a_name_like_any_other(write):
    assert names(load_handlers([write("my.hooks.py")], FINALS)) == ["my.hooks:hear"]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("def hear(:", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("from statekeeper import on_terminal\non_terminal(flow=[])", "TypeError: on_terminal: flow takes texts"),
    ],
)
def test_a_file_that_cannot_be_imported_stops_the_start_and_leaves_nothing(write, source, error):
    path = write("hooks.py", source)
    with pytest.raises(OperatorError) as refusal:
        load_handlers([path], FINALS)
    assert str(refusal.value).startswith(f"callbacks: {path} cannot be imported: {error}")
    assert "hooks" not in sys.modules


def test_functions_noted_before_the_file_failed_are_forgotten(write):
    with pytest.raises(OperatorError):
        load_handlers([write("hooks.py", ONE + "\n    1 / 0\n")], FINALS)
    assert names(load_handlers([write("hooks.py")], FINALS)) == ["hooks:hear"]


@pytest.mark.parametrize("path", ["no_such_file.py", "no_such.module", "", ".relative"])
def test_what_is_not_there_stops_the_start(path):
    with pytest.raises(OperatorError, match=f"callbacks: {path} cannot be imported"):
        load_handlers([path], FINALS)


@pytest.mark.parametrize("path", ["empty.py", "empty"])
def test_a_module_without_a_subscriber_is_a_mistake(write, path):
    write("empty.py", "def hear(ended): ...")
    with pytest.raises(OperatorError, match=f"callbacks: {path} has no function under @on_terminal"):
        load_handlers([path], FINALS)


def test_a_state_that_is_not_an_end_stops_the_start(write):
    path = write("hooks.py", ONE.replace('"completed"', '"completed", "created", "complete"'))
    with pytest.raises(OperatorError) as refusal:
        load_handlers([path], FINALS)
    assert str(refusal.value) == (
        "hooks:hear: no session ends in complete, created; there are aborted, completed, error, expired"
    )


def test_every_subscriber_with_a_strange_state_is_named():
    good, bad = Subscriber("crm", frozenset({"error"})), Subscriber("erp", frozenset({"done"}))
    check_states([good, Subscriber("all")], FINALS)
    with pytest.raises(OperatorError, match=r"^erp: no session ends in done; there are ") as refusal:
        check_states([good, bad], FINALS)
    assert "crm" not in str(refusal.value)


def test_two_subscribers_of_one_name_stop_the_start():
    check_names([Subscriber("crm"), Subscriber("erp")])
    with pytest.raises(OperatorError, match=r"^crm: 2 subscribers have this name\n"):
        check_names([Subscriber("crm"), Subscriber("erp"), Subscriber("crm", frozenset({"error"}))])


async def test_the_function_gets_what_was_frozen_in_the_callback():
    heard = []
    handler = Handler(Subscriber("crm"), heard.append)
    assert (await handler.send(CLAIM)).outcome is Outcome.DELIVERED
    (ended,) = heard
    assert ended.session_id == UUID(int=2)
    assert ended.last_step == LastStep("END-ACCEPT", "END", None)
    handler.close()


async def given_up(send):
    send.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await send


async def over(handler):
    """Until no call that was given up on goes on."""
    calls = [asyncio.wrap_future(call) for call in list(handler._lingering)]
    await asyncio.wait_for(asyncio.gather(*calls), 10)


async def test_a_call_that_was_given_up_on_keeps_its_slot_until_it_is_over():
    begun, go_on = threading.Semaphore(0), threading.Event()

    def block(ended):
        begun.release()
        go_on.wait(10)

    handler = Handler(Subscriber("crm"), block)
    assert handler.slots == THREADS
    sends = [asyncio.create_task(handler.send(CLAIM)) for _ in range(THREADS)]
    for _ in sends:
        await asyncio.to_thread(begun.acquire)
    for send in sends:
        await given_up(send)
    assert handler.slots == 0
    go_on.set()
    await over(handler)
    assert handler.slots == THREADS
    handler.close()


async def test_an_async_call_that_was_given_up_on_is_cancelled():
    begun, cancelled = threading.Event(), threading.Event()

    async def hang(ended):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    handler = Handler(Subscriber("crm"), hang)
    send = asyncio.create_task(handler.send(CLAIM))
    await asyncio.to_thread(begun.wait, 10)
    await given_up(send)
    assert await asyncio.to_thread(cancelled.wait, 10)
    await over(handler)
    handler.close()
