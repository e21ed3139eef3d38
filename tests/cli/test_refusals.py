import pytest

pytestmark = pytest.mark.usefixtures("store")


def test_what_was_wrong_is_listed_without_the_token(run):
    result = run("refusals")
    assert result.exit_code == 0
    assert "data.eventId: is missing" in result.stdout
    assert "a.b.c" not in result.stdout


def test_refusals_come_as_json_with_their_tokens(run):
    (refusal,) = run.json("refusals", "--limit", 5)["items"]
    assert refusal["errors"] == [{"field": "data.eventId", "detail": "is missing"}]
    assert refusal["token"] == "a.b.c"
    assert refusal["keyThumbprint"] == "thumb"
