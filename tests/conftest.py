"""What every test may ask for.

Hypothesis draws the same examples in every run, so that a failure on one machine is a failure on all. To search for new
ones: `pytest --hypothesis-profile=search --timeout=0`.

Slow tests run first, dealt out to the workers, so that none begins when the others have ended. The services that tests
start keep their bytecode whatever the environment says: each would compile everything anew.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["databases"]

settings.register_profile(
    "same",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("same"), derandomize=False, max_examples=1000)
settings.load_profile("same")

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """xdist begins by giving each worker an equal part of this list: let each have its share of the slow tests."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [each for each in items if each.get_closest_marker("slow")]
    quick = [each for each in items if not each.get_closest_marker("slow")]
    part = -(-len(quick) // workers)
    items[:] = [each for n in range(workers) for each in slow[n::workers] + quick[n * part : (n + 1) * part]]
