"""What leaves the service: callbacks a second, and what one endpoint that is ill costs another that is well."""

import json
import statistics
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.idle import SECRET
from benchmarks.load import Load, Outgoing
from benchmarks.receivers import Receiver, listening, sick
from benchmarks.servers import STATEKEEPER, Server, running
from benchmarks.traffic import Traffic

HEAD_START = 4  # seconds in which all webhooks are taken, before the first callback is due
SESSIONS_A_SECOND = 50
Story = tuple[Outgoing, Outgoing]


def settings(receivers: Iterable[Receiver], first: float, timeout: float = 20) -> Mapping[str, str]:
    endpoints = [
        {"name": f"crm-{number}", "url": each.url, "secrets": [SECRET]} for number, each in enumerate(receivers)
    ]
    return {
        "STATEKEEPER_ENDPOINTS": json.dumps(endpoints),
        "STATEKEEPER_DELIVERY__SCHEDULE": ",".join(map(str, [first, *[0.5] * 60])),
        "STATEKEEPER_DELIVERY__TIMEOUT": str(timeout),
    }


async def callbacks_a_second(traffic: Traffic, stories: list[Story], endpoints: int) -> float:
    """How fast a backlog goes out that is due all at once: without its first and its last tenth."""
    async with AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(listening(Receiver())) for _ in range(endpoints)]
        service = await _serving(stack, traffic, settings(receivers, HEAD_START))
        await _tell(service, stories)
        for each in receivers:
            await each.wait_for(len(stories))
    arrivals = sorted(at for each in receivers for at in each.at)
    tenth = len(arrivals) // 10
    return (len(arrivals) - 2 * tenth) / (arrivals[-tenth] - arrivals[tenth])


async def latency_beside(traffic: Traffic, stories: list[Story], *, ill: bool) -> float:
    """The median seconds from a session's end to its callback at an endpoint that is well.

    The other one, if it is ill, fails one request in three, hangs one in twenty, and is killed half way.
    """
    async with AsyncExitStack() as stack:
        well = await stack.enter_async_context(listening(Receiver()))
        receivers = [well]
        if ill:
            struck = Receiver(sick(1), fatal=len(stories) // 2)
            receivers.append(await stack.enter_async_context(listening(struck)))
        service = await _serving(stack, traffic, settings(receivers, 0, timeout=1))
        await _tell(service, stories, pace=2 * SESSIONS_A_SECOND)
        await well.wait_for(len(stories))
        assert not ill or struck.killed.is_set()
    return statistics.median(well.seconds)


async def _serving(stack: AsyncExitStack, traffic: Traffic, environment: Mapping[str, str]) -> Server:
    service = stack.enter_context(running(STATEKEEPER, Path(traffic.keys), environment))
    await service.ready()
    return service


async def _tell(service: Server, stories: list[Story], pace: float | None = None) -> None:
    told = [outgoing for story in stories for outgoing in story]
    await Load(iter(told), pace=pace).run(service.port, 1 if pace else 32)
