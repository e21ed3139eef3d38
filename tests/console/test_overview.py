"""The page that shows the service at a glance."""

import asyncio
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from litestar import Response

import forge
from statekeeper.console import callbacks, overview
from statekeeper.console.overview import REASONS
from statekeeper.store.tables import MinuteRow, table
from visits import Person

ROOT = Path(__file__).parents[2]
PAGE = "/console/overview"
NOBODY = {"name": "crm & co", "url": "http://127.0.0.1:9/", "secrets": ["whsec_" + "A" * 43 + "="]}
_LINKS = re.compile(r'<a [^>]*href="(/[^"]+)"')
_COUNTS = re.compile(r'<a class="(?:number|figure)[^"]*" href="([^"]+)">(\d+)</a>')
_SHARES = re.compile(r'<a class="state [^"]*" href="([^"]+)">\w+</a>.*?<b class="number">(\d+)</b>', re.DOTALL)


async def fill(service, **figures) -> None:
    """Write down what the current minute brought."""
    row = {"events": {}, "refusals": {}, "latencies": [0] * 13} | figures
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    async with service.database.writer.begin() as connection:
        await connection.execute(table(MinuteRow).insert().values(minute=minute, node="n", **row))


async def test_an_empty_service_says_how_to_begin(local):
    page = await local.get(PAGE)
    assert page.status_code == 200
    assert "No session has been heard of yet" in page.text
    assert "statekeeper simulate" in page.text
    assert "Everybody has been told of everything." in page.text


@pytest.fixture
async def busy(serving, clock):
    """Two sessions that ended, one of them without a number, one that waits for one, and nobody there to be told."""
    options = {"endpoints": [NOBODY], "delivery": {"schedule": [60]}}
    async with serving(**options) as service, Person(service, "https://localhost") as person:
        for data in (*forge.story(1), *forge.story(2)[1:]):
            await person.webhook(data)
        for _ in range(5):
            clock.advance(9)
            await service.engine.close_gaps()
        await person.webhook(forge.story(3)[1])
    clock.advance(3600)
    async with serving() as service, Person(service, "https://localhost") as person:
        yield person


async def test_every_figure_leads_to_what_it_counts(busy):
    text = (await busy.get(PAGE)).text
    counted = {link: int(number) for link, number in _COUNTS.findall(text) + _SHARES.findall(text)}
    assert counted == {
        "/console/sessions?state=completed": 2,
        "/console/sessions?state=pending": 1,
        "/console/sessions?held=true": 1,
        "/console/callbacks?status=pending&amp;subscriber=crm%20%26%20co": 2,
        "/console/callbacks?status=dead&amp;subscriber=crm%20%26%20co": 0,
    }
    listed = {link: (await busy.get(unescape(link))).text.count(" data-row>") for link in counted}
    assert listed == counted


async def test_every_link_leads_somewhere(busy):
    links = set(_LINKS.findall((await busy.get(PAGE)).text))
    assert "/console/callbacks?status=due" in links
    assert {link: (await busy.get(unescape(link))).status_code for link in links} == dict.fromkeys(links, 200)


async def test_minutes_are_drawn_and_told_as_a_table(local):
    await fill(local.service, events={"applied": 3, "rejected": 1}, latencies=[0, 0, 4] + [0] * 10)
    text = (await local.get(PAGE)).text
    assert text.count('class="part part--applied"') == 2  # one bar, and its swatch in the legend
    assert 'class="line line--p99" points=' in text
    assert '<th scope="col">rejected</th>' in text


async def test_refusals_are_drawn_and_told_as_a_table_by_their_reason(local):
    assert 'class="spark"' not in (await local.get(PAGE)).text
    await fill(local.service, refusals={"expired": 2, "signature": 1234, "made-up <b>": 1})
    text = (await local.get(PAGE)).text
    names = ["wrong signature", "expired", "made-up &lt;b&gt;"]
    about = 'role="img" aria-label="Webhooks refused a minute in the last hour: '
    assert re.findall(f'{about}(.*)">', text) == names
    assert text.count('class="part part--refused"') == 3
    assert all(f'<th scope="col">{name}</th>' in text for name in names)
    assert text.count('<b class="number">1,234</b>') == text.count('<td class="number">1,234</td>') == 1
    assert 'wrong signature <span class="quiet">up to 1,234 a minute</span>' in text


def test_every_reason_of_a_refusal_has_its_words():
    text = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    told = text.partition("- `reason` of a refusal:")[2].partition("\n- ")[0]
    assert set(re.findall("`([a-z_]+)`", told)) == set(REASONS)


async def test_what_a_stranger_sent_is_shown_as_text(local):
    await fill(local.service, events={"applied": 1})
    await local.webhook({"eventId": "e", "eventName": "<script>", "eventSequence": "<b>1", "payload": {}})
    text = (await local.get(PAGE)).text
    assert "<script>" not in text.replace("<script src=", "")
    assert "Verified, but no events" in text


async def test_a_reader_may_look(with_tokens):
    assert (await with_tokens.get(PAGE)).status_code in {302, 303}
    await with_tokens.paste("token-of-a-reader")
    assert (await with_tokens.get(PAGE)).status_code == 200


@pytest.mark.parametrize(
    ("module", "path"), [(overview, PAGE), (callbacks, "/console/callbacks")], ids=["overview", "standings"]
)
async def test_those_who_look_at_the_same_time_have_it_made_once(local, monkeypatch, module, path):
    looks, made = [], []

    def live(request, fragment, _topic):
        looks.append(fragment)
        return Response(b"").to_asgi_response(app=None, request=request)

    monkeypatch.setattr(module, "live", live)
    monkeypatch.setattr(module, "render", lambda *_, **__: made.append(1) or "the page")
    for _ in range(3):
        await local.get(f"{path}/live")
    assert await asyncio.gather(*(look() for look in looks)) == ["the page"] * 3
    assert len(made) == 1
