"""`statekeeper chart`: what a statechart says, before any session depends on it."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Final

import rich_click as click

from statekeeper.cli.screen import progress, show_json, show_line
from statekeeper.core.errors import StatechartError
from statekeeper.core.proof import Report, count, prove
from statekeeper.core.statechart import Statechart
from statekeeper.resources import default_chart, read_chart

_SHOWN: Final = 20


def _of_a_chart(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the chart of its FILE; one that is not there or not valid ends it with 1."""

    @wraps(run)
    def with_chart(file: Path | None, **options: bool) -> None:
        try:
            chart = read_chart(file) if file else default_chart()
        except OSError as error:
            _refuse(f"{file} cannot be read: {error.strerror}")
        except StatechartError as error:
            _refuse(str(error))
        else:
            run(chart, **options)

    return click.argument("file", required=False, type=click.Path(path_type=Path))(with_chart)


def _refuse(message: str) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(1)


@click.group()
def chart() -> None:
    """Check, draw or prove a statechart.

    FILE is YAML or JSON; without one it is the chart that the service runs.
    """


@chart.command()
@_of_a_chart
@click.option("--json", "as_json", is_flag=True, help="Print what the chart holds as JSON.")
def check(chart: Statechart, *, as_json: bool) -> None:
    """Check that every target exists, every state can be reached, and each can end.

    ```
    statekeeper chart check my-sessions.yaml
    ```
    """
    finals = sorted(chart.finals)
    holds = {"id": chart.id, "version": chart.version, "initial": chart.initial, "states": chart.states}
    if as_json:
        show_json({**holds, "finals": finals, "transitions": len(chart.edges)})
    else:
        counts = f"{len(chart.states)} states, {len(chart.edges)} transitions"
        show_line(f"{chart.id} is valid: {counts}; it ends in {', '.join(finals)}; version {chart.version}")


@chart.command()
@_of_a_chart
def draw(chart: Statechart) -> None:
    """Draw the chart as Mermaid's `stateDiagram-v2`, from the compiled table.

    ```
    statekeeper chart draw > sessions.mmd
    ```
    """
    click.echo(chart.diagram(), nl=False)


@chart.command(name="prove")
@_of_a_chart
@click.option("--json", "as_json", is_flag=True, help="Print the numbers, and what failed, as JSON.")
def prove_chart(chart: Statechart, *, as_json: bool) -> None:
    """Tell the chart's own stories in every order, with every repetition and every loss, and check how each ends.

    ```
    statekeeper chart prove my-sessions.yaml
    ```
    """
    report = _prove(chart)
    if as_json:
        show_json({"checked": report.checked, "faults": [str(case) for case in report.faults]})
    else:
        _tell(chart, report)
    sys.exit(1 if report.faults else 0)


def _prove(chart: Statechart) -> Report:
    with progress() as bars:
        return Report.of(bars.track(prove(chart), total=count(chart), description=f"Proving {chart.id}"))


def _tell(chart: Statechart, report: Report) -> None:
    for case in report.faults[:_SHOWN]:
        show_line(f"✗ {case}")
    if len(report.faults) > _SHOWN:
        show_line(f"  and {len(report.faults) - _SHOWN} more")
    verdict = f"{len(report.faults)} of them wrong" if report.faults else "all as they must be"
    show_line(f"{chart.id}: {report.checked} cases checked, {verdict}")
