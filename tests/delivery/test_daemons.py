"""Threads that no process waits for at its end."""

import threading

import pytest

from statekeeper.delivery.daemons import Daemons


@pytest.fixture
def daemons():
    daemons = Daemons(2, "test")
    yield daemons
    daemons.close()


def test_a_call_runs_in_a_daemon_and_returns_what_it_returns(daemons):
    thread = daemons.start(threading.current_thread).result(10)
    assert (thread.daemon, thread.name) == (True, "test")


@pytest.mark.parametrize("error", [OSError("no such name"), SystemExit(3)])
def test_what_a_call_raises_is_told_and_ends_no_thread(daemons, error):
    def fail():
        raise error

    calls = [daemons.start(fail) for _ in range(3)]
    assert [call.exception(10) for call in calls] == [error] * 3
    assert daemons.start(lambda: 7).result(10) == 7


def test_what_comes_when_all_are_taken_waits_for_its_turn(daemons):
    begun, go_on = threading.Semaphore(0), threading.Event()

    def hang():
        begun.release()
        return go_on.wait(10)

    calls = [daemons.start(hang) for _ in range(3)]
    for _ in range(2):
        assert begun.acquire(timeout=10)
    assert len(daemons._threads) == 2
    assert not begun.acquire(blocking=False)
    assert not calls[-1].cancel()
    go_on.set()
    assert [call.result(10) for call in calls] == [True] * 3


def test_one_that_is_closed_ends_its_threads(daemons):
    thread = daemons.start(threading.current_thread).result(10)
    daemons.close()
    thread.join(10)
    assert not thread.is_alive()
