import pytest

pytestmark = pytest.mark.usefixtures("store")


def listed(run, *arguments):
    return [(item["subscriber"], item["status"]) for item in run.json("callbacks", *arguments)["items"]]


def test_callbacks_are_listed(run):
    assert sorted(listed(run)) == [("crm", "dead"), ("mail", "delivered")]
    result = run("callbacks")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == [
        "callback",
        "session",
        "subscriber",
        "state",
        "status",
        "receipt",
        "attempts",
        "next",
        "attempt",
    ]


def test_a_delivered_one_shows_its_receipt(run):
    lines = [" ".join(line.split()) for line in run("callbacks").stdout.splitlines()]
    assert any("mail completed delivered case 4711 1" in line for line in lines)
    (delivered,) = run.json("callbacks", "--status", "delivered")["items"]
    assert delivered["receipt"] == "case 4711"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--status", "dead"], [("crm", "dead")]),
        (["--status", "pending"], []),
        (["--subscriber", "mail"], [("mail", "delivered")]),
        (["--status", "dead", "--subscriber", "mail"], []),
    ],
)
def test_they_are_filtered_by_status_and_subscriber(run, arguments, found):
    assert listed(run, *arguments) == found


def test_a_list_goes_on_behind_its_cursor(run):
    first = run.json("callbacks", "--limit", 1)
    assert len(listed(run, "--cursor", first["nextCursor"])) == 1
    assert run("callbacks", "--limit", 1).stdout.endswith(f"More: --cursor {first['nextCursor']}\n")


def test_a_dead_callback_is_sent_again_with_a_fresh_schedule(run):
    (dead,) = run.json("callbacks", "--status", "dead")["items"]
    result = run("callbacks", "retry", dead["callbackId"])
    assert (result.exit_code, result.stdout) == (0, f"Callback {dead['callbackId']} is due now.\n")
    (pending,) = run.json("callbacks", "--status", "pending")["items"]
    assert pending["callbackId"] == dead["callbackId"]
    assert pending["nextAttemptAt"] is not None


def test_a_retry_comes_as_json(run):
    (dead,) = run.json("callbacks", "--status", "dead")["items"]
    view = run.json("callbacks", "retry", dead["callbackId"])
    assert (view["callbackId"], view["status"]) == (dead["callbackId"], "pending")


def test_the_flags_of_the_list_are_those_of_the_retry(run):
    result = run("callbacks", "--database-url", "sqlite:///other.db", "retry", "6ba7b810-9dad-51d1-80b4-00c04fd430c8")
    assert result.exit_code == 2
    assert "There is no store at other.db yet" in result.stderr


def test_a_delivered_or_unknown_callback_is_exit_1(run):
    (delivered,) = run.json("callbacks", "--status", "delivered")["items"]
    result = run("callbacks", "retry", delivered["callbackId"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("has been delivered; there is nothing to retry.\n")
    unknown = "6ba7b810-9dad-51d1-80b4-00c04fd430c8"
    result = run("callbacks", "retry", unknown)
    assert (result.exit_code, result.stderr) == (1, f"Error: No callback {unknown} is known.\n")


def test_bad_usage_is_exit_2(run):
    assert run("callbacks", "--status", "gone").exit_code == 2
    assert run("callbacks", "retry", "x").exit_code == 2
    assert run("callbacks", "retry").exit_code == 2
