import json
from pathlib import Path

from click.testing import CliRunner

import forge
from databases import migrated
from statekeeper.cli import commands
from statekeeper.demo.keepsake import STORE, Keepsake

SECRET = "whsec_" + "A" * 43 + "="
KEEPSAKE = Keepsake("http://127.0.0.1:1", "https://there", forge.jwks(), SECRET)


def ask(config: Path, *arguments: str):
    result = CliRunner().invoke(commands, [*arguments, "--config", str(config), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_is_left_can_be_served_and_asked(tmp_path: Path):
    migrated(tmp_path / "demo.db")
    config = KEEPSAKE.put(tmp_path / "demo.db", tmp_path / "a place" / "of its own")
    assert ask(config, "sessions") == {"items": [], "nextCursor": None}
    assert [each["name"] for each in ask(config, "endpoints")["items"]] == ["archive", "crm"]
    assert json.loads((config.parent / "keys.json").read_text()) == forge.jwks()


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path: Path):
    migrated(tmp_path / "demo.db")
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in (STORE, f"{STORE}-wal", "notes.txt"):
        (kept / name).write_text("earlier")
    KEEPSAKE.put(tmp_path / "demo.db", kept)
    assert {each.name for each in kept.iterdir()} == {STORE, "keys.json", "statekeeper.toml", "notes.txt"}
    assert (kept / STORE).read_bytes() == (tmp_path / "demo.db").read_bytes()


def test_the_settings_say_how_to_take_the_place_of_the_endpoints_so_that_signatures_verify(tmp_path: Path):
    migrated(tmp_path / "demo.db")
    config = KEEPSAKE.put(tmp_path / "demo.db", tmp_path / "kept")
    assert f"statekeeper listen --port 8400 --secret {SECRET}\n" in config.read_text()
