"""What people did, as a table and as JSON."""

import pytest

pytestmark = pytest.mark.usefixtures("store")
ENDED = "fe1941c2-bc45-4142-b516-fa0fc9fd7754"


@pytest.fixture
def acted(run, store):
    for text in ("first", "second"):
        assert (result := run("note", ENDED, text)).exit_code == 0, result.output
    assert run("feed", "consumers", "set", "crm", "start").exit_code == 0
    assert run("feed", "consumers", "delete", "crm", "--yes").exit_code == 0


@pytest.mark.usefixtures("acted")
def test_the_newest_act_comes_first(run):
    acts = [each["act"] for each in run.json("audit")["items"]]
    assert acts == ["consumer.remove", "consumer.place", "session.note", "session.note"]
    title, head, first, *_ = run("audit").stdout.splitlines()
    assert (title, head.split()) == ("Audit trail", ["at", "who", "role", "by", "from", "act", "on", "reason"])
    assert "consumer.remove crm" in " ".join(first.split())


@pytest.mark.usefixtures("acted")
@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (["--act", "session.note"], 2),
        (["--session", ENDED], 2),
        (["--subject", "crm"], 2),
        (["--since", "1h"], 4),
        (["--since", "1h", "--until", "2026-01-08T00:00:00Z"], 0),
        (["--actor", "nobody"], 0),
    ],
)
def test_acts_are_filtered(run, wanted, count):
    assert len(run.json("audit", *wanted)["items"]) == count


@pytest.mark.usefixtures("acted")
def test_a_list_goes_on_behind_its_cursor(run):
    first = run.json("audit", "--limit", 3)
    (last,) = run.json("audit", "--cursor", first["nextCursor"])["items"]
    assert last["reason"] == "first"
    assert run("audit", "--limit", 3).stdout.endswith(f"More: --cursor {first['nextCursor']}\n")


@pytest.mark.usefixtures("acted")
def test_a_recovery_begun_here_is_recorded(run):
    assert run("callbacks", "recover", "crm", "--since", "2020-01-01T00:00:00Z", "--yes").exit_code == 0
    entry = run.json("audit")["items"][0]
    assert (entry["act"], entry["subject"], entry["effect"]["total"]) == ("endpoint.recover", "crm", 1)


def test_an_act_that_there_is_not_is_bad_usage(run):
    assert run("audit", "--act", "nothing").exit_code == 2
