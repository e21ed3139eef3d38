from pathlib import Path

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = f"""
database_url = "postgresql://user:hunter2@host/db"
callbacks = ["a.b", "c.py"]
[[endpoints]]
name = "crm"
url = "https://crm.example"
secrets = ["{SECRET}"]
states = ["completed", "error"]
[[endpoints]]
name = "mail"
url = "https://mail.example"
secrets = ["{SECRET}"]
[[tokens]]
name = "desk"
sha256 = "{"9f" * 32}"
role = "admin"
"""


def test_settings_are_shown_with_their_origins(run, monkeypatch):
    Path("own.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("STATEKEEPER_IDNOW__LEEWAY", "5")
    result = run("config", "--config", "own.toml", "--port", "9000", "--host", "localhost")
    lines = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.split()}
    assert result.exit_code == 0
    assert lines["port"] == ["port", "9000", "--port"]
    assert lines["host"] == ["host", "localhost", "--host"]
    assert lines["database_url"] == ["database_url", "postgresql://user:***@host/db", "own.toml"]
    assert lines["callbacks"] == ["callbacks", "a.b,c.py", "own.toml"]
    assert lines["idnow.leeway"] == ["idnow.leeway", "5.0", "STATEKEEPER_IDNOW__LEEWAY"]
    assert lines["idnow.issuer"] == ["idnow.issuer", "(required", "to", "serve)", "default"]
    assert (
        "name=crm url=https://crm.example secrets=(not shown) transitions=terminal states=completed,error"
        in result.stdout
    )
    assert "name=mail" in result.stdout


def test_settings_come_as_json(run):
    items = {item["name"]: item for item in run.json("config", "--callbacks", "a,b", "--callbacks", "c")["items"]}
    assert items["callbacks"] == {
        "name": "callbacks",
        "value": ["a", "b", "c"],
        "origin": "flag",
        "source": "--callbacks",
    }
    assert items["port"] == {"name": "port", "value": 8000, "origin": "default", "source": None}


def test_no_secret_is_shown(run):
    Path("statekeeper.toml").write_text(SETTINGS, encoding="utf-8")
    shown = run("config").output + run("config", "--json").output
    for secret in ("hunter2", SECRET, "9f9f"):
        assert secret not in shown


def test_bad_settings_are_a_line_each_and_exit_2(run, monkeypatch):
    monkeypatch.setenv("STATEKEEPER_IDNOW__LEEWAY", "long")
    result = run("config", "--port", "http", "--config", "gone.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == 'Error: config: got "gone.toml" from --config; there is no such file\n'
    result = run("config", "--port", "http")
    assert result.exit_code == 2
    assert [line.split(";")[0] for line in result.stderr.splitlines()] == [
        'Error: port: got "http" from --port',
        'Error: idnow.leeway: got "long" from STATEKEEPER_IDNOW__LEEWAY',
    ]


def test_a_variable_that_is_no_setting_is_named(run, monkeypatch):
    monkeypatch.setenv("STATEKEEPER_DATABSE_URL", "x")
    result = run("config")
    assert (result.exit_code, result.stderr) == (0, "Note: STATEKEEPER_DATABSE_URL is no setting.\n")
