"""The pictures of the console in `docs/images`, taken of the real service with the demo's data: `make screenshots`.

The demo is played with its usual seed, or the directory is taken that an earlier one has left (the only argument). Its
store is served from a copy: with tokens, so that there is somebody to sign in, with an hour's minutes, which a demo of
some seconds does not have, and with a key of ours, so that something can still come in. The machine's Chromium opens
the pages. The same seed shows the same sessions; only the times are those of the run, in the zone of Berlin. Whatever
is started here is ended by its id.
"""

import hashlib
import json
import math
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.request import Request, urlopen
from uuid import NAMESPACE_URL, UUID, uuid5

from playwright.sync_api import Browser, Page, expect, sync_playwright

from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.stories import Story, StoryEvent
from statekeeper.trust.sealing import new_key

IMAGES: Final = Path(__file__).resolve().parent / "images"
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
TOKENS: Final = {"support": "shown-to-nobody", "admin": "shown-to-nobody-either"}
"""By role; good for the service that is started here, and gone with it."""

NAMES: Final = {"support": "anna", "admin": "tom"}
UNKNOWN: Final = "fe1941c2-bc45-4142-b516-fa0fc9fd7754"
LEDGER: Final = {
    "name": "ledger",
    "url": "https://ledger.example/hooks/ident",
    "states": ["completed", "aborted"],
    "environments": ["live"],
    "notices": ["callback.dead"],
    "rate": 5,
}
_LISTEN: Final = re.compile(r"statekeeper (listen .*)$", re.MULTILINE)
"""What the settings say that takes the place of the demo's endpoints."""

NODE: Final = "node-1"
PATIENCE: Final = 60.0
_TABLET: Final = 600
_FOUND: Final = """
SELECT session_id FROM sessions WHERE given_up IS NOT NULL AND inferred IS NOT NULL AND session_id IN
  (SELECT session_id FROM callbacks WHERE subscriber = 'archive' AND status = 'dead')
ORDER BY (SELECT count(*) FROM deliveries WHERE deliveries.session_id = sessions.session_id) DESC, first_seen_at LIMIT 1
"""
"""The session with the most to tell: a callback that is dead, a gap, and an event that came late, and twice."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: what it is called, and how somebody sees it."""

    name: str
    path: str
    width: int = 1280
    height: int = 800
    scheme: str = "light"
    locale: str = "en-GB"
    role: str = "support"


def main() -> None:
    """Take all pictures; the directory of an earlier demo may be named."""
    with TemporaryDirectory(prefix="statekeeper-shots-") as made, ExitStack() as everything:
        directory = Path(made)
        kept = Path(sys.argv[1]) if sys.argv[1:] else _demo(directory)
        config, session, issuer = _prepare(kept, directory / "copy")
        (listen,) = _LISTEN.findall(config.read_text("utf-8"))
        service = everything.enter_context(_running("serve", "--config", str(config), log=directory / "log"))
        address = _address(service, directory / "log")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        playwright = everything.enter_context(sync_playwright())
        browser = everything.enter_context(
            playwright.chromium.launch(executable_path=chromium, args=FLAGS, ignore_default_args=["--hide-scrollbars"])
        )
        IMAGES.mkdir(exist_ok=True)
        camera = _Camera(browser, address)
        camera.take_all(session)
        with _running(*listen.split(), log=directory / "listener"):
            camera.take_an_act(session)
        camera.take_what_else_there_is(_send_early(issuer, config, address))


def _demo(directory: Path) -> Path:
    subprocess.run([*_COMMAND, "demo", "--keep", str(directory / "demo")], cwd=directory, check=True)  # noqa: S603
    return directory / "demo"


def _prepare(kept: Path, copy: Path) -> tuple[Path, UUID, Issuer]:
    """A copy of what a demo has left, fit to be shown; returns its settings, the session to look at, and who signs."""
    shutil.copytree(kept, copy)
    config = copy / "statekeeper.toml"
    settings = config.read_text("utf-8").replace(str(kept.resolve()), str(copy))
    tokens = "".join(map(_token, TOKENS))
    config.write_text(f'port = 0\nencryption_keys = ["{new_key()}"]\n{settings}{tokens}', encoding="utf-8")
    issuer = Issuer(tomllib.loads(settings)["idnow"]["issuer"])
    known = json.loads((copy / "keys.json").read_text("utf-8"))["keys"]
    (copy / "keys.json").write_text(json.dumps({"keys": known + issuer.jwks()["keys"]}), encoding="utf-8")
    with closing(sqlite3.connect(copy / "statekeeper.db")) as store, store:
        store.execute("DELETE FROM minutes")
        store.executemany("INSERT INTO minutes VALUES (?, ?, ?, ?, ?)", _minutes(datetime.now(UTC)))
        (found,) = store.execute(_FOUND).fetchone()
    return config, UUID(found), issuer


def _token(role: str) -> str:
    digest = hashlib.sha256(TOKENS[role].encode()).hexdigest()
    return f'\n[[tokens]]\nname = "{NAMES[role]}"\nsha256 = "{digest}"\nrole = "{role}"\n'


def _send_early(issuer: Issuer, config: Path, address: str) -> UUID:
    """The end of a session whose beginning has not come: a gap, for as long as it is waited for."""
    (audience,) = tomllib.loads(config.read_text("utf-8"))["idnow"]["audience"]
    end = StoryEvent(str(uuid5(NAMESPACE_URL, "early")), "session.error", 2, 0, "ERROR", "2")
    story = Story(uuid5(NAMESPACE_URL, "gap"), str(uuid5(NAMESPACE_URL, "flow")), "live", "error", (end,), ())
    token = issuer.sign(issuer.claims(story.data(end, 1, datetime.now(UTC)), audience, time.time()))
    _post(f"{address}/webhooks/idnow", token.encode(), {"Content-Type": "application/jwt"})
    return story.session_id


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    with urlopen(Request(url, body, dict(headers)), timeout=PATIENCE):  # noqa: S310 -- the service started here
        pass


def _minutes(now: datetime) -> Iterator[tuple[str, ...]]:
    """An hour with two waves, a short outage, and the refusals that every open door gets."""
    for ago in range(60):
        if ago in range(21, 24):
            continue
        at = (now - timedelta(minutes=ago)).strftime("%Y-%m-%d %H:%M:00.000000")
        many = int(70 + 40 * math.sin(ago / 6) + 9 * (ago % 5))
        events = {"applied": many, "held": many // 9, "duplicate": many // 12, "late": many // 30, "conflict": ago % 3}
        events |= {"ignored": many // 25, "rejected": ago % 4}
        refusals = {"signature": ago % 3, "expired": int(ago % 5 == 0)}
        latencies = [0, 0, 1, many // 4, many // 2, many // 3, many // 8, ago % 4, ago % 2, 0, 0, 0, 0]
        yield at, NODE, *map(json.dumps, (events, refusals, latencies))


@contextmanager
def _running(*arguments: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STATEKEEPER_")}
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            [*_COMMAND, *arguments], cwd=log.parent, env=environment, stdout=said, stderr=said
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()


def _address(service: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where the service says that it listens; raises `TimeoutError` where it does not."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and service.poll() is None:
        if said := re.search(r'^\{.*"event": ?"serving".*$', log.read_text("utf-8"), re.MULTILINE):
            return f"http://127.0.0.1:{json.loads(said[0])['port']}"
        time.sleep(0.05)
    raise TimeoutError(log.read_text("utf-8"))


class _Camera:
    """Opens pages as somebody who has signed in with a token, and takes pictures of them."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address

    def take_all(self, session: UUID) -> None:
        """Every page as it is while there is nobody at the endpoints."""
        for shot in _shots(f"/console/sessions/{session}"):
            self._take(shot)
        with self._open(Shot("sign-in", "/console/sign-in", height=480), signed_in=False) as page:
            _picture(page, "sign-in")

    def take_an_act(self, session: UUID) -> None:
        """A dead callback is tried again, now that somebody is there, and a note is left; and the trail of both."""
        story = f"/console/sessions/{session}"
        with self._open(Shot("", story, height=1000)) as page:
            self._retry(page)
        with self._open(Shot("", f"{story}/note")) as page:
            page.locator("#reason").fill("Told the customer's adviser that the archive has it now")
            page.locator("form.card button").click()
            page.wait_for_url(f"**{story}**")
        self._take(Shot("audit", "/console/audit", width=1440, height=560))

    def take_what_else_there_is(self, gap: UUID) -> None:
        """What closing a gap would do, a session that nobody knows, and the form of an endpoint."""
        self._take(Shot("close-gap", f"/console/sessions/{gap}/close-gap", height=860))
        self._take(Shot("unknown", f"/console/sessions/{UNKNOWN}", height=480))
        allowed = {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": "application/json"}
        _post(f"{self._address}/v1/endpoints", json.dumps(LEDGER).encode(), allowed)
        self._take(Shot("endpoint", f"/console/endpoints/{LEDGER['name']}/change", 960, 1300, role="admin"))

    def _take(self, shot: Shot) -> None:
        with self._open(shot) as page:
            _picture(page, shot.name)

    def _retry(self, page: Page) -> None:
        """Try the dead callback again, for a reason, and see it arrive."""
        page.get_by_role("link", name="Try archive again now").click()
        page.get_by_label("Why do you do it?").fill("Ticket 4711: the archive was down, and is back")
        page.set_viewport_size({"width": 1280, "height": 680})
        _picture(page, "retry")
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.get_by_role("button", name="Try a callback again now").click()
        expect(page.locator(".callback--delivered")).to_have_count(3, timeout=PATIENCE * 1000)
        expect(page.get_by_text("Attempt 6 delivered")).to_be_visible()
        page.locator(".moment:target").scroll_into_view_if_needed()
        _picture(page, "retried")

    @contextmanager
    def _open(self, shot: Shot, *, signed_in: bool = True) -> Iterator[Page]:
        context = self._browser.new_context(
            base_url=self._address,
            viewport={"width": shot.width, "height": shot.height},
            color_scheme="dark" if shot.scheme == "dark" else "light",
            locale=shot.locale,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            is_mobile=shot.width < _TABLET,
        )
        page = context.new_page()
        if signed_in:
            page.goto("/console/sign-in")
            page.locator("#token").fill(TOKENS[shot.role])
            page.locator("#token").press("Enter")
            page.wait_for_url("**/console/sessions")
        page.goto(shot.path)
        yield page
        context.close()


def _shots(story: str) -> tuple[Shot, ...]:
    return (
        Shot("sessions", "/console/sessions"),
        Shot("sessions-dark", "/console/sessions", scheme="dark"),
        Shot("session", story, height=1000),
        Shot("session-dark", story, height=1000, scheme="dark"),
        Shot("session-narrow", story, width=390, height=844),
        Shot("session-german", story, height=1000, locale="de-DE"),
        Shot("callbacks", "/console/callbacks?status=dead", width=1440),
        Shot("overview", "/console/overview", height=1000),
    )


def _picture(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


_COMMAND: Final = (sys.executable, "-m", "statekeeper")

if __name__ == "__main__":
    main()
