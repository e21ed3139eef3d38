"""What the reference says of the program is written by the program: settings, commands, paths, metrics, the chart.

A page has a marker `<!-- generated: NAME -->` and, below it, `<!-- end -->`; what stands between them is replaced by
what `PARTS` has under that name. `make docs` writes the pages, `--check` only says which of them are out of date (1).
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import rich_click as click
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from statekeeper import metrics
from statekeeper.api.contract import Operation
from statekeeper.api.operations import OPERATIONS
from statekeeper.cli import commands
from statekeeper.resources import default_chart
from statekeeper.settings import BrokerSettings, EndpointSettings, Settings, TokenSettings

ROOT: Final = Path(__file__).resolve().parent.parent
_PART: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SETTINGS: Final = ("TOML", "environment", "default", "takes")
Row = tuple[str, ...]


def render(text: str) -> str:
    """The page with its generated parts as the program has them now; an unknown name is a `KeyError`."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part[2]]().rstrip()}\n{part[3]}", text)


def pages() -> list[Path]:
    """Every page that may have a generated part."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _table(heads: Row, rows: Iterable[Row]) -> str:
    lines = [heads, ("---",) * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _diagram() -> str:
    return f"```mermaid\n{default_chart().diagram()}```"


def _settings() -> str:
    return _table(_SETTINGS, _rows(Settings))


def _rows(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        path = (*before, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(field.annotation, path)
        else:
            variable = f"STATEKEEPER_{'__'.join(path).upper()}"
            yield f"`{'.'.join(path)}`", f"`{variable}`", _default(field), str(field.description)


def _members(model: type[BaseModel]) -> str:
    fields = model.model_fields.items()
    rows = [
        (f"`{name}`", "required" if each.is_required() else _default(each), str(each.description))
        for name, each in fields
    ]
    return _table(("member", "default", "takes"), rows)


def _default(field: FieldInfo) -> str:
    match field.default:
        case None | ():
            return "none"
        case SecretStr() as secret:
            return f"`{secret.get_secret_value()}`"
        case tuple() as values:
            return f"`{','.join(map(str, values))}`"
    return f"`{field.default}`"


def _operations() -> str:
    rows = [
        (
            each.method.upper(),
            f"`{each.path}`",
            each.summary,
            ", ".join(_statuses(each)),
            "yes" if each.protected else "",
        )
        for each in OPERATIONS
    ]
    return _table(("method", "path", "what", "answers", "token"), rows)


def _statuses(operation: Operation) -> list[str]:
    return sorted({*map(str, operation.answers), *(str(problem.kind.status) for problem in operation.problems)})


def _metrics() -> str:
    kept = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    return _table(("metric", "type", "labels", "what"), map(_metric, kept))


def _metric(metric: MetricWrapperBase) -> Row:
    (family,) = metric.describe()
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 -- nothing public tells them
    name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
    return f"`{name}`", family.type, labels, family.documentation


def _commands() -> str:
    top = click.RichContext(commands, info_name="statekeeper")
    return "\n\n".join(text for name in commands.list_commands(top) for text in _command(commands, name, top))


def _command(group: click.Group, name: str, parent: click.Context) -> Iterator[str]:
    """A command, then those below it; a deferred one makes the context of the real one."""
    context = group.commands[name].make_context(name, [], parent=parent, resilient_parsing=True)
    command = context.command
    yield f"### `{context.command_path}{_arguments(command)}`\n\n{inspect.cleandoc(command.help or '')}"
    records = [each.get_help_record(context) for each in command.params if isinstance(each, click.Option)]
    if rows := [(f"`{names}`", " ".join(text.split())) for names, text in filter(None, records)]:
        yield _table(("option", "what"), rows)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _command(command, below, context)


def _arguments(command: click.Command) -> str:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    names = [(each.metavar or str(each.name).upper(), each.required) for each in arguments]
    return "".join(f" {name}" if required else f" [{name}]" for name, required in names)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "diagram": _diagram,
    "settings": _settings,
    "endpoints": lambda: _members(EndpointSettings),
    "brokers": lambda: _members(BrokerSettings),
    "tokens": lambda: _members(TokenSettings),
    "operations": _operations,
    "metrics": _metrics,
    "commands": _commands,
}


def main() -> None:
    """Write the pages that are out of date, or with `--check` only name them."""
    stale = {page: new for page in pages() if (new := render(old := page.read_text("utf-8"))) != old}
    for page, text in stale.items():
        print(page.relative_to(ROOT))
        if "--check" not in sys.argv:
            page.write_text(text, "utf-8")
    sys.exit(1 if stale and "--check" in sys.argv else 0)


if __name__ == "__main__":
    main()
