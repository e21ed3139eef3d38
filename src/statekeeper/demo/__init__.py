"""The demo: a day of sessions played to a real service, and everything checked that must be true of it.

`run` starts `statekeeper serve` as a child, plays the simulator against it over HTTP, has callbacks fire into functions
and over HTTP, and holds sessions, histories and callbacks against the sender's own stories. Nothing survives it.
"""

from statekeeper.demo.report import Report
from statekeeper.demo.run import run
from statekeeper.demo.service import NotServing

__all__ = ["NotServing", "Report", "run"]
