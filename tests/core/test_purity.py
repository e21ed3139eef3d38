"""The core, and what is told of it, wait for nothing, read no clock, draw no number and do no I/O.

By their syntax, and by their effects.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import statekeeper.core
import statekeeper.explanation

CORE = sorted(Path(statekeeper.core.__file__).parent.rglob("*.py"))
EXPLANATION = sorted(Path(statekeeper.explanation.__file__).parent.rglob("*.py"))
MODULES = [*CORE, *EXPLANATION]
OURS = {"core": ("statekeeper.core.",), "explanation": ("statekeeper.core.", "statekeeper.explanation.")}
PURE = {
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "html",
    "ipaddress",
    "itertools",
    "json",
    "re",
    "string",
    "typing",
    "unicodedata",
    "urllib.parse",
    "uuid",
}
ASKED_NEVER_TOLD = {"transitions", "transitions.extensions", "transitions.extensions.diagrams_mermaid"}
CLOCKS_AND_DICE = {
    "now",
    "utcnow",
    "today",
    "fromtimestamp",
    "time",
    "monotonic",
    "uuid1",
    "uuid4",
    "urandom",
    "getnode",
}
GIVEN = {"circumstances.now"}  # an argument's: whoever asks says when
DOORS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
WAITING = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
MUTABLE = (ast.Global, ast.Nonlocal)


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


def impurities(tree):
    """What would make the module depend on anything but its arguments, each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, WAITING):
            yield node.lineno, "waits"
        elif isinstance(node, MUTABLE):
            yield node.lineno, "keeps a state"
        elif isinstance(node, ast.Name) and node.id in DOORS:
            yield node.lineno, node.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLOCKS_AND_DICE:
            yield node.lineno, node.func.id
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS_AND_DICE and ast.unparse(node) not in GIVEN:
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.name in DOORS | CLOCKS_AND_DICE:
            yield node.lineno, node.name


each_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")


def test_there_is_something_to_check():
    assert {path.stem for path in CORE} >= {"machine", "statechart", "resequencer", "callbacks", "retry", "proof"}
    assert {path.stem for path in EXPLANATION} >= {"case", "sentences", "why"}


@each_module
def test_a_pure_module_imports_only_what_is_pure(module):
    ours = OURS[module.parent.name]
    foreign = {name for name in imports(ast.parse(module.read_text())) if not name.startswith(ours)}
    assert foreign <= PURE | ASKED_NEVER_TOLD


@each_module
def test_a_pure_module_waits_for_nothing_and_asks_nobody(module):
    assert list(impurities(ast.parse(module.read_text()))) == []


def test_only_the_statechart_knows_the_machine_underneath():
    knowing = [path.stem for path in MODULES if set(imports(ast.parse(path.read_text()))) & ASKED_NEVER_TOLD]
    assert knowing == ["statechart"]


@pytest.mark.parametrize(
    "line",
    [
        "async def wait(): ...",
        "async def wait():\n    await other()",
        "at = datetime.now(UTC)",
        "at = datetime.today",
        "at = datetime.utcnow()",
        "from time import monotonic",
        "import time",
        "name = uuid4()",
        "print('x')",
        "text = open('x')",
        "def remember():\n    global memory",
    ],
)
def test_the_check_sees_what_it_must(line):
    assert list(impurities(ast.parse(line)))


def test_what_is_pure_does_nothing_when_it_is_imported():
    """No file but modules is opened, nothing is connected, started or said, in a process of its own."""
    program = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, args: seen.append((name, *map(str, args[:2]))))\n"
        "import statekeeper.core.proof, statekeeper.core.callbacks, statekeeper.core.retry, statekeeper.core.arrivals\n"
        "import statekeeper.explanation.why\n"
        "bad = [e for e in seen if e[0].startswith(('socket.', 'subprocess.', 'os.system', 'os.putenv', 'os.remove'))\n"
        "       or (e[0] == 'open' and len(e) > 2 and any(mode in e[2] for mode in 'wa+x'))]\n"
        "sys.exit(str(bad) if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
