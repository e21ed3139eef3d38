"""What the demo measured: counts, and in `faults` a sentence about everything that must not be."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statekeeper.simulator.tally import Tally


@dataclass(slots=True)
class Report:
    """`due` and `told` count notices by subscriber; `states` the sessions by their state, as the service shows them.

    `config` are the settings to look at what was left with, if anything was.
    """

    tally: Tally = field(default_factory=Tally)
    states: Counter[str] = field(default_factory=Counter)
    examined: int = 0
    inferred: int = 0
    forged: int = 0
    due: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    refused_once: int = 0
    seconds: float = 0
    faults: list[str] = field(default_factory=list)
    config: Path | None = None

    @property
    def well(self) -> bool:
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        return {
            "sender": self.tally.to_json(),
            "sessions": dict(sorted(self.states.items())),
            "histories": self.examined,
            "inferredSteps": self.inferred,
            "forgeriesThatCounted": self.forged,
            "callbacks": {name: {"due": count, "arrived": self.told[name]} for name, count in sorted(self.due.items())},
            "callbacksRefusedOnce": self.refused_once,
            "seconds": round(self.seconds, 1),
            "faults": self.faults,
            "well": self.well,
        }
