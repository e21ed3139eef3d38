"""The wheel, built from the checkout and installed outside it, does all that `statekeeper` does."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The bin folder of a new environment: the wheel is its own, the pinned dependencies are those of this one.

    They are reached by a plain path, whose `.pth` files Python does not read: the editable install stays out of sight.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STATEKEEPER_", "PYTHON"))}
    command = [str(installed / "statekeeper"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_wheel_is_what_runs(installed, tmp_path):
    where = [str(installed / "python"), "-c", "import statekeeper; print(statekeeper.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(installed.parent)


def test_it_carries_the_charts(installed, tmp_path):
    assert run(installed, tmp_path, "chart", "check").returncode == 0


def test_it_carries_the_migrations(installed, tmp_path):
    assert run(installed, tmp_path, "db", "upgrade").returncode == 0
    assert run(installed, tmp_path, "db", "check").returncode == 0
    assert json.loads(run(installed, tmp_path, "sessions", "--json").stdout) == {"items": [], "nextCursor": None}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_it_runs_the_demo(installed, tmp_path):
    done = run(installed, tmp_path, "demo", "--sessions", "60")
    assert done.returncode == 0, done.stdout + done.stderr
