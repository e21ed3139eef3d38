"""Where user functions run: that what they do stays there."""

import asyncio
import contextlib
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from statekeeper.core.callbacks import SessionEnded
from statekeeper.core.retry import Outcome
from statekeeper.delivery.answers import MAX_DETAIL
from statekeeper.delivery.crews import COROUTINES, THREADS, crew_for
from statekeeper.delivery.registry import GiveUp, RetryLater

ENDED = SessionEnded(
    callback_id=UUID(int=1),
    session_id=UUID(int=2),
    flow_id=None,
    environment="live",
    state="completed",
    ended_at=datetime(2026, 1, 8, 8, 35, 37, tzinfo=UTC),
    last_step=None,
    sequences=[1, 2],
    contiguous=True,
)
KINDS = ["plain", "async"]


@pytest.fixture
def hire():
    """Make a crew for a function that is to be plain or async, by the same body."""
    crews = []

    def make(body, kind="plain"):
        async def as_async(ended):
            return body(ended)

        crews.append(crew_for(as_async if kind == "async" else body, "test"))
        return crews[-1]

    yield make
    for crew in crews:
        crew.close()


def raising(error):
    def body(ended):
        raise error

    return body


async def call(crew):
    return await asyncio.wrap_future(crew.start(ENDED))


async def test_a_plain_function_runs_in_a_thread_and_an_async_one_on_a_loop_of_its_own(hire):
    where = []

    async def on_a_loop(ended):
        where.append((threading.current_thread(), asyncio.get_running_loop()))

    def in_a_thread(ended):
        where.append((threading.current_thread(), None))

    crews = [crew_for(function, "test") for function in (in_a_thread, on_a_loop)]
    for crew in crews:
        assert (await call(crew)).outcome is Outcome.DELIVERED
        crew.close()
    (thread, _), (loops_thread, loop) = where
    assert thread.daemon
    assert loops_thread.daemon
    assert len({thread, loops_thread, threading.current_thread()}) == 3
    assert loop is not asyncio.get_running_loop()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_text_that_the_function_returns_is_its_receipt(hire, kind):
    assert (await call(hire(lambda ended: f"case {ended.session_id.int}", kind))).receipt == "case 2"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_function_gets_what_ended(hire, kind):
    heard = []
    assert (await call(hire(heard.append, kind))).outcome is Outcome.DELIVERED
    assert heard == [ENDED]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_exception_is_a_failed_attempt_that_names_it(hire, kind):
    answer = await call(hire(raising(KeyError("iban")), kind))
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "KeyError: 'iban'")
    assert isinstance(answer.error, KeyError)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()])
async def test_not_even_what_ends_a_process_ends_the_crew(hire, kind, error):
    crew = hire(raising(error), kind)
    for _ in range(THREADS + 1):
        answer = await call(crew)
        assert answer.outcome is Outcome.FAILED
        assert answer.detail.startswith(type(error).__name__)


async def test_an_exception_that_cannot_be_written_down_gives_its_type(hire):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert (await call(hire(raising(Mute())))).detail == "Mute"
    assert (await call(hire(raising(ValueError())))).detail == "ValueError"


async def test_a_detail_is_bounded_and_can_be_stored(hire):
    answer = await call(hire(raising(ValueError("a\x00b\ud800c" + "x" * 1000))))
    assert answer.detail.startswith("ValueError: abcx")
    assert len(answer.detail) <= MAX_DETAIL


@pytest.mark.parametrize("kind", KINDS)
async def test_give_up_ends_it_with_its_reason(hire, kind):
    answer = await call(hire(raising(GiveUp("no such\x00 customer")), kind))
    assert (answer.outcome, answer.detail, answer.error) == (Outcome.GAVE_UP, "no such customer", None)
    assert (await call(hire(raising(GiveUp()), kind))).detail is None


@pytest.mark.parametrize("kind", KINDS)
async def test_retry_later_is_a_failed_attempt_with_a_wish(hire, kind):
    answer = await call(hire(raising(RetryLater(90)), kind))
    assert (answer.outcome, answer.retry_in, answer.detail) == (Outcome.FAILED, timedelta(seconds=90), "retry in 90 s")


async def test_a_wrong_retry_later_is_a_failed_attempt(hire):
    def ask(ended):
        raise RetryLater(-1)

    answer = await call(hire(ask))
    assert (answer.outcome, answer.retry_in) == (Outcome.FAILED, None)
    assert "finite number of seconds" in answer.detail


async def test_a_plain_wrapper_of_an_async_function_is_not_delivered_before_that_ran(hire):
    heard = []

    async def hear(ended):
        await asyncio.sleep(0)
        heard.append(ended)

    def wrapped(ended):
        return hear(ended)

    assert (await call(hire(wrapped))).outcome is Outcome.DELIVERED
    assert heard == [ENDED]


async def test_a_crew_of_threads_takes_as_many_calls_at_once_as_it_has(hire):
    together = threading.Barrier(THREADS + 1)
    crew = hire(lambda ended: together.wait(10))
    calls = [crew.start(ENDED) for _ in range(THREADS)]
    await asyncio.to_thread(together.wait, 10)
    assert {answer.outcome for answer in await asyncio.gather(*map(asyncio.wrap_future, calls))} == {Outcome.DELIVERED}
    assert crew.size == THREADS


async def test_an_async_function_takes_many_calls_at_once(hire):
    async def meet(ended):
        async with arrived:
            count.append(ended)
            arrived.notify_all()
            await arrived.wait_for(lambda: len(count) == COROUTINES)

    count, arrived = [], asyncio.Condition()
    crew = crew_for(meet, "test")
    calls = [asyncio.wrap_future(crew.start(ENDED)) for _ in range(crew.size)]
    assert {answer.outcome for answer in await asyncio.gather(*calls)} == {Outcome.DELIVERED}
    crew.close()


async def test_an_abandoned_coroutine_is_cancelled_and_a_thread_goes_on(hire):
    begun, go_on = threading.Event(), threading.Event()

    async def hang(ended):
        begun.set()
        await asyncio.Event().wait()

    loop, threads = crew_for(hang, "test"), hire(lambda ended: go_on.wait(10))
    on_loop, in_thread = loop.start(ENDED), threads.start(ENDED)
    await asyncio.to_thread(begun.wait, 10)
    loop.abandon(on_loop)
    threads.abandon(in_thread)
    assert (await asyncio.wrap_future(on_loop)).detail == "CancelledError"
    assert not in_thread.done()
    go_on.set()
    assert (await asyncio.wrap_future(in_thread)).outcome is Outcome.DELIVERED
    loop.close()


async def test_a_call_that_is_over_can_be_abandoned_without_effect(hire):
    crew = hire(lambda ended: None, "async")
    over = crew.start(ENDED)
    await asyncio.wrap_future(over)
    crew.abandon(over)
    assert (await call(crew)).outcome is Outcome.DELIVERED


async def test_a_call_abandoned_behind_a_blocked_loop_never_begins():
    begun, go_on, heard = threading.Event(), threading.Event(), []

    async def block(ended):
        heard.append(ended)
        begun.set()
        go_on.wait(10)

    crew = crew_for(block, "test")
    first = crew.start(ENDED)
    await asyncio.to_thread(begun.wait, 10)
    second = crew.start(ENDED)
    crew.abandon(second)
    assert not second.done()
    go_on.set()
    assert (await asyncio.wrap_future(first)).outcome is Outcome.DELIVERED
    assert (await asyncio.wrap_future(second)).detail == "cancelled"
    assert heard == [ENDED]
    crew.close()


async def test_a_task_that_the_function_left_behind_cannot_end_its_loop():
    def exit_now():
        raise SystemExit

    async def leave(ended):
        asyncio.get_running_loop().call_soon(exit_now)

    crew = crew_for(leave, "test")
    for _ in range(3):
        assert (await call(crew)).outcome is Outcome.DELIVERED
    crew.close()


async def test_a_closed_crew_of_threads_ends_them(hire):
    threads = []
    crew = hire(lambda ended: threads.append(threading.current_thread()))
    for _ in range(2):
        await call(crew)
    crew.close()
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


async def test_a_closed_loop_cancels_what_is_left_and_ends_its_thread():
    ended_by, begun = [], threading.Event()

    async def hang(ended):
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        ended_by.append("cancelled")

    crew = crew_for(hang, "hangs")
    left = crew.start(ENDED)
    await asyncio.to_thread(begun.wait, 10)
    (thread,) = (each for each in threading.enumerate() if each.name == "callback hangs")
    crew.close()
    await asyncio.wrap_future(left)
    await asyncio.to_thread(thread.join, 10)
    assert ended_by == ["cancelled"]
    crew.close()
    crew.abandon(left)


def test_a_crew_that_was_never_called_has_no_thread_to_end():
    async def hear(ended): ...

    before = threading.active_count()
    crew = crew_for(hear, "test")
    assert threading.active_count() == before
    crew.close()
