"""How a template becomes a page: in a language, and with nothing in it that a stranger has made markup."""

import pytest

from statekeeper.console.pages import _environment
from statekeeper.console.rendering.words import LANGUAGES

HOSTILE = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "template",
    [
        "{{ x }}",
        "{{ _(x) }}",
        "{{ _('%(x)s', x=x) }}",
        "{% trans x=x %}{{ x }}{% endtrans %}",
        "{% trans count=2, x=x %}{{ x }}{% pluralize %}{{ x }}{% endtrans %}",
    ],
)
def test_whatever_way_a_value_gets_into_a_page_it_is_text(template, language):
    assert _environment(language).from_string(template).render(x=HOSTILE) == ESCAPED


async def test_a_page_is_in_the_language_the_browser_asks_for(local):
    answer = await local.get("/console/sessions", headers={"accept-language": "de-CH, en;q=0.5"})
    assert '<html lang="de"' in answer.text


async def test_a_page_says_which_of_the_places_it_is(local):
    answer = await local.get("/console/sessions?state=error")
    assert '<a href="/console/sessions" aria-current="page">' in answer.text
    assert answer.text.count('aria-current="page"') == 1
