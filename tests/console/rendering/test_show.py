"""How values look on a page."""

from datetime import UTC, datetime

from statekeeper.console.rendering.show import say, show_time
from statekeeper.explanation.sentences import Sentence

AT = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)


def test_a_time_is_exact_for_a_script_and_readable_without_one():
    assert show_time(AT, "en") == '<time datetime="2026-01-08T08:35:37.581Z">8 Jan 2026, 08:35:37 UTC</time>'
    assert show_time("2026-01-08T09:35:37.581+01:00", "de").endswith(">08.01.2026, 08:35:37 UTC</time>")


def test_a_time_that_is_to_say_how_long_ago_it_was_is_marked():
    assert show_time(AT, "en", relative=True).startswith('<time datetime="2026-01-08T08:35:37.581Z" data-relative>')


def test_a_sentence_is_escaped_and_so_is_what_stands_in_it():
    said = say(Sentence("a < {thing} & {at}", {"thing": "<script>", "at": AT}), "en", str)
    assert said.startswith("a &lt; <b>&lt;script&gt;</b> &amp; <time ")


def test_a_translation_cannot_bring_markup():
    assert say(Sentence("x"), "en", lambda _: "<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
