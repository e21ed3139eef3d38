"""What every test may ask for.

Hypothesis draws the same examples in every run, so that a failure on one machine is a failure on all. To search for new
ones: `pytest --hypothesis-profile=search --timeout=0`.
"""

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
