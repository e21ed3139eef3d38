"""Numbers as people read them: a run is told by its ends, for a gap may be thousands wide, and of many the first."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from statekeeper.core.events import MAX_SEQUENCE
from statekeeper.explanation.sentences import Sentence, Value

MOST: Final = 12
"""So many numbers and runs are told; whoever is told more reads none."""
_SPAN: Final = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")


def of_numbers(one: str, more: str, numbers: Iterable[int], **values: Value) -> Sentence:
    """The text for one `{number}` or that for several `{numbers}`, as there are; there is at least one."""
    first, *others = sorted(numbers)
    if others:
        return Sentence(more, {"numbers": spans([first, *others]), **values})
    return Sentence(one, {"number": first, **values})


def spans(numbers: Iterable[int]) -> tuple[str, ...]:
    """`1, 2, 3, 5` as `1-3` and `5`; two in a row are told one by one, and what is left out as `…`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = tuple(text for run in runs[: MOST + 1] for text in _run(run))
    return texts if len(texts) <= MOST else (*texts[:MOST], "…")


def read_spans(text: str) -> tuple[int, ...]:
    """The numbers of a gap, as `1`, `1, 2` or `1-9998`; what is no such number, or one too many, is left out."""
    found = (_SPAN.fullmatch(each.strip()) for each in text.split(","))
    numbers = (number for each in found if each for number in range(int(each[1]), int(each[2] or each[1]) + 1))
    return tuple(islice(numbers, MAX_SEQUENCE))


def _run(run: list[int]) -> tuple[str, ...]:
    return tuple(map(str, run)) if len(run) < 3 else (f"{run[0]}-{run[-1]}",)  # noqa: PLR2004 -- `1-2` is no shorter
