"""The dashboard in a real browser: who sees what, and what they do there holds."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ViewportSize
from redis.asyncio import Redis

from bot.house import Applicant
from bot.messages import Address
from bot.store.applicants import Applicants
from bot.store.connection import connect
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.loglines import LogLines
from bot.store.sessions import OPERATOR, Sessions, Visitor, admin
from bot.store.shifts import Offer, Shift
from bot.testing import wait_until
from bot.web.pages import OPERATORS
from bot.web.visitors import PUBLIC
from tests.browser.conftest import House, Tab, Visitors, clear, watched
from tests.browser.lived import lived
from tests.web.test_desk import asking

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHOTS = Path(os.environ["SHOTS"]) if os.environ.get("SHOTS") else None
"""Where pictures of every page are put, for people."""

DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=780)

PAGES = (*(link.path for link in OPERATORS if link.path != "/"), "/server")

WIDE = "['html', 'main', '.side'].map(one => document.querySelector(one)).some(one => one && one.scrollWidth > one.clientWidth)"

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass
class Place:
    """The house, and browsers of every kind of visitor."""

    house: House
    visitors: Visitors
    browser: Browser
    redis: Redis
    sessions: Sessions
    worker: Shift
    contexts: list[BrowserContext] = field(default_factory=list)

    async def enter(self, visitor: Visitor, *, phone: bool = False, locale: str = "en-US") -> BrowserContext:
        """A browser of its own that came by a link."""
        size = PHONE if phone else DESKTOP
        context = await self.browser.new_context(viewport=size, is_mobile=phone, has_touch=phone, locale=locale)
        self.contexts.append(context)
        await context.request.get(await self.sessions.link(self.house.url, visitor))
        return context

    async def look(self, context: BrowserContext, path: str) -> Tab:
        """A page, as soon as it shows something."""
        tab = watched(await context.new_page())
        await tab.page.goto(f"{self.house.url}{path}")
        await tab.page.locator(".sheet").wait_for()
        return tab


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def place(redis_url: str, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house = House(redis_url, tmp_path_factory.mktemp("whole"), port, program="whole.py")
    house.start()
    redis, keys = connect(redis_url), Keys(house.prefix)
    offers = [Offer("smollm2-135m-instruct", ["generate", "generate:smollm2-135m-instruct"]), Offer("whisper-base", ["transcribe"])]
    shift = Shift(redis, keys, "worker.1", offers, name="desk", room=2_000_000_000, lease=50.0)
    await shift.renew()
    await shift.holds({"smollm2-135m-instruct": 310_000_000})
    await house.up()
    made = Place(house, Visitors(house, chromium), chromium, redis, Sessions(redis, keys), shift)
    living = asyncio.create_task(_renewed(shift))
    async with lived(redis, keys):
        yield made
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    for context in [*made.contexts, *made.visitors.contexts]:
        await context.close()
    assert house.process is not None
    house.process.terminate()
    assert house.process.wait(10) == 0
    await shift.sign_off()
    await made.sessions.protect("")
    await redis.delete(*[key async for key in redis.scan_iter(f"{house.prefix}:server:*")], keys.duty(), keys.house(), keys.house_audit())
    for name in ("audit:*", "data:*", "data-index:*"):
        for key in [key async for key in redis.scan_iter(f"{house.prefix}:{name}")]:
            await redis.delete(key)
    await redis.aclose()
    await clear(house)


async def _renewed(shift: Shift) -> None:
    """The worker lives: no lease may be longer than a minute."""
    while True:
        await asyncio.sleep(shift.lease / 10)
        await shift.renew()


async def test_every_path_is_for_those_whom_it_is_for(place: Place) -> None:
    """Those that the house serves, as it says itself, so that none is forgotten."""
    routes: list[str] = json.loads(await wait_until(lambda: _read(place.house.data / "routes.json")))
    served = [path for path in routes if not path.startswith(PUBLIC)]
    assert set(PAGES) | {"/"} <= set(served)
    roles = {"guest": Visitor(), "admin": admin(asking("room/hall")), "operator": OPERATOR}
    answers: dict[str, dict[str, int]] = {}
    for role, visitor in roles.items():
        async with httpx.AsyncClient(base_url=place.house.url) as client:
            await client.get(await place.sessions.link(place.house.url, visitor))
            answers[role] = {path: (await client.get(path)).status_code for path in [*served, "/files/x/y", "/nowhere"] if "{" not in path}
    async with httpx.AsyncClient(base_url=place.house.url) as client:
        assert {(await client.get(path)).status_code for path in [*served, "/files/x/y"] if "{" not in path} == {401}

    def let_in(role: str) -> set[str]:
        return {path for path, status in answers[role].items() if status == 200}

    assert let_in("guest") == {"/"}
    assert let_in("admin") == {"/server"}
    assert let_in("operator") == {path for path in served if path != "/server" and "{" not in path}


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def unfold(tab: Tab, path: str) -> None:
    """Opens what a page keeps folded: the last plugin's settings of a server, and the form of a plugin's configuration."""
    if path == "/server":
        await tab.page.locator("summary").last.click()
    if path.endswith("/plugins"):
        panel = tab.page.locator(".panel", has=tab.page.get_by_role("heading", name="chat", exact=True))
        await panel.locator("summary", has_text="[plugins.chat]").click()
        await panel.locator(".config input").first.wait_for()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_every_page_is_readable_for_everybody_in_light_and_dark(place: Place, phone: bool) -> None:
    axe, operator = Axe(), await place.enter(OPERATOR, phone=phone)
    await operator.request.get(await place.sessions.link(place.house.url, admin(asking("room/hall", roles={"7": "Artists"}))))
    for path in PAGES:
        tab = await place.look(operator, path)
        await unfold(tab, path)
        for theme in THEMES:
            await tab.page.emulate_media(color_scheme=theme)
            if phone == (theme == "dark"):  # each layout and each theme once: an inspection takes a second
                found = await axe.run(tab.page)
                grave = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
                assert grave == [], f"{path}: {found.generate_report()}"
            if SHOTS:
                await tab.page.get_by_text("Looking at the machine").wait_for(state="detached", timeout=60_000)
                name = f"{path.strip('/').replace('/', '-')}-{'phone' if phone else 'desktop'}-{theme}.png"
                await tab.page.screenshot(path=SHOTS / name)
        assert not await tab.page.evaluate(WIDE), f"{path} is wider than the screen"
        assert tab.faults == tab.elsewhere() == []
        await tab.page.close()


async def test_a_chinese_browser_reads_a_chinese_dashboard_that_fits_its_phone(place: Place) -> None:
    operator = await place.enter(OPERATOR, phone=True, locale="zh-CN")
    await operator.request.get(await place.sessions.link(place.house.url, admin(asking("room/hall", roles={"7": "Artists"}))))
    for path in PAGES:
        tab = await place.look(operator, path)
        await unfold(tab, path)
        said = await tab.page.locator("h1, th, button:not(.line, .ref), nav a, .role, label > span:first-child").all_inner_texts()
        assert [words for words in said if words.strip() and not re.search("[一-鿿]", words)] == [], f"{path} is not in Chinese"
        assert await tab.page.get_attribute("html", "lang") == "zh-CN"
        assert not await tab.page.evaluate(WIDE), f"{path} is wider than the screen"
        if SHOTS:
            await tab.page.screenshot(path=SHOTS / f"{path.strip('/').replace('/', '-')}-chinese.png")
        assert tab.faults == []
        await tab.page.close()


async def test_an_operator_sees_a_request_come_and_ends_it(place: Place) -> None:
    desk = await place.look(await place.enter(OPERATOR), "/operator/queue")
    await desk.page.get_by_text("Nothing is being answered right now.").wait_for()
    ann = await place.visitors.tab("Ann")
    await ann.go("Hobnob")
    await ann.say("What is a wombat?")

    await desk.page.bring_to_front()
    row = desk.page.locator("tr", has_text="Ann")
    await row.get_by_text("waits for generate").wait_for()
    await row.get_by_role("button", name="Cancel").click()

    await row.wait_for(state="detached")
    await ann.page.bring_to_front()
    await ann.sees("Cancelled.")
    assert desk.faults == ann.faults == []
    overview = await place.look(await place.enter(OPERATOR), "/operator")
    await overview.page.locator(".figure", has_text="Requests").locator(".big", has_text="0").wait_for(state="detached")
    await overview.page.get_by_role("button", name="Last day").click()
    await overview.page.get_by_text("asked something in the last day").wait_for()
    assert overview.faults == []


async def test_an_operator_pauses_the_workers_and_has_them_go_on(place: Place) -> None:
    desk = await place.look(await place.enter(OPERATOR), "/operator/queue")
    await desk.page.get_by_role("button", name="Pause all").click()
    await desk.page.get_by_text("paused", exact=True).wait_for()
    await desk.page.locator(".panel > .head").get_by_role("button", name="Resume").click()
    await desk.page.get_by_text("works", exact=True).wait_for()
    assert desk.faults == []


async def test_an_admin_comes_by_a_link_from_the_chat_and_changes_the_server(place: Place) -> None:
    ben = await place.visitors.tab("Ben", await place.visitors.context())
    await ben.go("Hobnob")
    await ben.say("/dashboard")
    link = ben.page.locator(".message.bot .words a[href*='/enter?token=']").last
    await link.wait_for()
    href = await link.get_attribute("href")
    assert href is not None
    browser = await place.browser.new_context(viewport=DESKTOP)
    place.contexts.append(browser)
    desk = watched(await browser.new_page())
    await desk.page.goto(href)
    assert desk.page.url == f"{place.house.url}/server"
    assert 'href="/server"' in await (await browser.request.get(href)).text(), "who comes by it again is led to their servers"
    page = desk.page

    chat = page.locator(".panel", has=page.get_by_role("heading", name="chat", exact=True))
    await chat.locator("summary").click()
    await chat.get_by_role("spinbutton", name="Temperature").fill("0.4")
    await chat.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved. It holds from the next message on.").wait_for()
    assert await chat.get_by_role("spinbutton", name="Temperature").input_value() == "0.4"
    await chat.get_by_role("spinbutton", name="Temperature").fill("99")
    await chat.get_by_role("spinbutton", name="Temperature").evaluate("input => input.removeAttribute('max')")
    await chat.get_by_role("button", name="Save").click()
    await page.locator(".toast", has_text="Temperature: input should be less than or equal to").wait_for()
    await chat.get_by_role("switch").click()
    await chat.get_by_text("Off", exact=True).wait_for()
    await page.get_by_role("tab", name="Permissions").click()
    may = page.locator("form", has=page.get_by_label("What"))
    await may.get_by_label("What").fill("/again")
    await may.get_by_role("button", name="Save").click()
    await page.get_by_text("everyone may use /again").wait_for()
    rank = page.locator("form", has=page.get_by_label("Is here"))
    await rank.get_by_label("Who").select_option(label="somebody")
    await rank.get_by_label("Is here").select_option("admin")
    for said, told in (
        ("nobody", page.locator(".toast", has_text="I know nobody here")),
        ("ben", page.get_by_text("Ben is admin here")),
    ):
        await rank.get_by_label("Name").fill(said)
        await rank.get_by_role("button", name="Save").click()
        await told.wait_for()
    await page.get_by_role("tab", name="Use and limits").click()
    await page.get_by_label("How much").fill("often")
    await page.get_by_role("button", name="Save").click()
    await page.locator(".toast", has_text="Say how much in which time").wait_for()
    await page.get_by_label("How much").fill("40/hour")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("each person 40/hour messages").wait_for()
    await page.get_by_text(re.compile("of 40 messages in an hour")).wait_for()
    await page.get_by_role("tab", name="What was changed").click()
    await page.get_by_text("temperature: not chosen → 0.4").wait_for()

    await ben.page.bring_to_front()
    await ben.say("/settings chat")
    await ben.sees("0.4")
    await ben.say("/language zh-Hans")
    await ben.page.get_by_label("会话").wait_for()  # the room's page speaks it at once, and so will all others
    await page.bring_to_front()
    await page.reload()
    await page.get_by_role("heading", name="你的服务器").wait_for()
    assert desk.faults == []


async def test_an_operator_follows_a_message_from_its_trace_to_the_log(place: Place) -> None:
    lines = LogLines(place.redis, Keys(place.house.prefix))
    ann = await place.visitors.tab("Ann")
    await ann.go("Hobnob")
    await ann.say("Tell me of a secret matter")
    desk = await place.look(await place.enter(OPERATOR), "/operator/traces")
    page = desk.page
    path = page.locator(".path", has=page.get_by_role("button", name="Show what was said")).first
    await path.wait_for()
    assert "secret matter" not in await page.locator("#content").inner_text()
    await path.get_by_role("button", name="Show what was said").click()
    path = page.locator(".path", has_text="a secret matter")
    await path.locator("q", has_text="a secret matter").wait_for()
    await path.get_by_text("goes on").wait_for()
    ref = await path.locator("a code").first.inner_text()
    await path.locator("a code").first.click()
    await page.get_by_text("Only what belongs to").wait_for()
    for level, message, whose in (("info", "ticket.finished", ref), ("error", "it broke", ref), ("info", "of somebody else", "ffff")):
        await lines.write([json.dumps({"message": message, "level": level, "process": "router", "ref": whose, "seconds": 1})])
    await page.locator(".loglines", has_text="ticket.finished").wait_for()
    await page.locator(".loglines", has_text="it broke").wait_for()
    assert await page.locator(".loglines", has_text="of somebody else").count() == 0
    await page.get_by_label("Level").select_option("error")
    await page.get_by_role("button", name="Everything again").click()
    assert await page.locator(".loglines li:not(.error)").count() == 0
    await page.get_by_role("button", name=re.compile("it broke")).click()
    await page.locator("dd", has_text="1").first.wait_for()
    await ann.page.bring_to_front()
    await ann.say("/cancel")
    await ann.sees("Cancelled.")
    await page.bring_to_front()
    await page.goto(f"{place.house.url}/operator/traces?of={ref}")
    await page.locator(".path", has_text="answered after").wait_for()
    await page.get_by_role("button", name="Look further back").click()
    await page.get_by_label("Search").fill("nobody said this")
    await page.get_by_text("No message is like that.").wait_for()
    assert desk.faults == []


async def test_an_operator_loads_a_model_and_is_told_why_another_cannot_come(place: Place) -> None:
    desk = await place.look(await place.enter(OPERATOR), "/operator/models")
    page = desk.page
    await page.get_by_role("button", name="Load whisper-base").click()
    await wait_until(lambda: place.worker.orders(1.0), 10)
    await place.worker.holds({"smollm2-135m-instruct": 310_000_000, "whisper-base": 290_000_000})
    await page.get_by_role("button", name="Unload whisper-base").wait_for()
    await page.get_by_text("600 MB").first.wait_for()
    await page.get_by_role("columnheader", name="Line-up").wait_for(timeout=60_000)
    row = page.locator(".shelf > li", has_text="bloomz-560m").first
    await page.get_by_label("Search").fill("bloomz-560m")
    await row.get_by_role("button", name="Bring bloomz-560m here").click()
    await row.get_by_text("http://127.0.0.1:9 cannot be reached").wait_for(timeout=60_000)
    assert desk.faults == []


async def test_an_operator_changes_a_plugins_configuration_and_sees_it_before_it_is_written(place: Place) -> None:
    desk, file = await place.look(await place.enter(OPERATOR), "/operator/plugins"), place.house.data / "bot.toml"
    page, before = desk.page, file.read_text()
    panel = page.locator(".panel", has=page.get_by_role("heading", name="chat", exact=True))
    await panel.get_by_text("Configuration, in [plugins.chat]").click()
    await panel.get_by_label("max_batch").fill("4")
    await panel.get_by_label("models", exact=True).fill("smollm2-135m-instruct\nnobody")
    await panel.get_by_role("button", name="Show what would change").click()
    await panel.locator(".diff .plus", has_text="max_batch = 4").wait_for()
    await panel.get_by_role("button", name="Write it").click()
    await page.locator(".toast", has_text="'nobody'").wait_for(timeout=60_000)
    assert file.read_text() == before, "what would not start is not written"
    await panel.get_by_role("button", name="Change something").click()
    await panel.get_by_label("models", exact=True).fill("smollm2-135m-instruct")
    await panel.get_by_label("The name of another in servers").fill("big")
    await panel.get_by_role("button", name="Add").last.click()
    await panel.get_by_label("url").fill("http://127.0.0.1:9/v1")
    await panel.get_by_role("button", name="Remove big").click()
    await panel.get_by_role("button", name="Show what would change").click()
    await panel.get_by_role("button", name="Write it").click()
    await panel.get_by_text("It holds from the next start").wait_for(timeout=60_000)
    assert file.read_text() == before + "max_batch = 4\n"
    assert desk.faults == []


async def test_an_operator_reads_another_language_from_the_moment_it_is_chosen(place: Place) -> None:
    context = await place.enter(OPERATOR)
    desk = await place.look(context, "/operator/access")
    await desk.page.get_by_label("Language").select_option("zh-Hans")
    await desk.page.get_by_role("heading", name="你的密码").wait_for()
    assert await desk.page.get_attribute("html", "lang") == "zh-CN"
    assert await (await place.look(context, "/operator")).page.get_attribute("html", "lang") == "zh-CN"
    assert desk.faults == []


async def test_an_operator_makes_a_backup_and_reads_how_it_comes_back(place: Place) -> None:
    desk = await place.look(await place.enter(OPERATOR), "/operator/backups")
    page = desk.page
    await page.get_by_text("None yet.").wait_for()
    await page.get_by_role("button", name="Make a backup").click()
    await page.get_by_text("keys,").wait_for(timeout=60_000)
    (made,) = (place.house.data / "backups").glob("*.tar.gz")
    await page.locator("pre", has_text=f"hobnob restore {made}").wait_for()
    assert desk.faults == []


async def test_an_operator_lets_a_server_in_bans_it_and_opens_its_page(place: Place) -> None:
    applicants = Applicants(place.redis, Keys(place.house.prefix))
    desk = await place.look(await place.enter(OPERATOR), "/operator/servers")
    await applicants.apply(Applicant(address=Address.of("discord/77"), name="The Zoo"))
    await desk.page.get_by_role("button", name="Let The Zoo in").click()
    await desk.page.get_by_role("button", name="Ban Discord 77").click()
    await desk.page.get_by_role("button", name="Allow Discord 77").click()
    await desk.page.get_by_role("button", name="Ban Discord 77").wait_for()
    assert await applicants.waiting() == []
    rules = await HouseRules(place.redis, Keys(place.house.prefix)).get()
    assert rules.barred.get("server", {}) == {}

    await desk.page.get_by_label("New servers").select_option("closed")
    await desk.page.get_by_role("link", name="Discord 77").click()
    await desk.page.get_by_role("tab", name="What was changed").click()
    await desk.page.get_by_text("Nobody has changed anything here.").wait_for()
    assert desk.faults == []


async def test_a_slash_offers_the_commands_that_one_may_use(place: Place) -> None:
    zoe = await place.visitors.tab("Zoe")
    await zoe.page.locator("#composer").press_sequentially("/a")
    await zoe.page.locator(".offered li", has_text="/about").wait_for()
    assert await zoe.page.locator(".offered li", has_text="/audit").count() == 0, "that is for admins"
    while "/again" not in await zoe.page.locator(".offered li[aria-selected=true]").inner_text():
        await zoe.page.press("#composer", "ArrowDown")
    await zoe.page.press("#composer", "Tab")
    assert await zoe.page.input_value("#composer") == "/again "
    assert await zoe.page.locator(".offered").count() == 0
    assert "/again" in await zoe.page.locator(".below").inner_text()
    assert zoe.faults == []


async def test_a_command_is_filled_in_as_a_form(place: Place) -> None:
    zoe = await place.visitors.tab("Zoe")
    await zoe.go("Hobnob")
    await zoe.page.locator("#composer").press_sequentially("/language ")
    await zoe.page.get_by_role("button", name="As a form").click()
    form = zoe.page.get_by_role("dialog", name="/language")
    field = form.get_by_role("textbox").or_(form.get_by_role("combobox")).first
    await field.fill("none of ours")
    found = await Axe().run(zoe.page)
    assert [one["id"] for one in found.response["violations"] if one["impact"] in ("serious", "critical")] == []
    await form.get_by_role("button", name="Send").click()
    await zoe.sees("/language none of ours")
    await zoe.sees("I do not speak none of ours")
    assert zoe.faults == []


async def test_a_password_lets_the_operator_in_and_nothing_else_does(place: Place) -> None:
    first = await place.enter(OPERATOR)
    desk = await place.look(first, "/operator/access")
    page = desk.page
    await page.get_by_label("New password").fill("correct horse battery")
    await page.get_by_label("Once more").fill("correct horse batter")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("These are two different passwords.").wait_for()
    await page.get_by_label("Once more").fill("correct horse battery")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert "correct horse" not in await page.content()
    await page.get_by_role("button", name="Link for a guest").click()
    guests = await page.get_by_label("For a guest").input_value()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Come in").click()
    await page.get_by_text("That is not the password.").wait_for()
    await page.get_by_label("Password").fill("correct horse battery")
    await page.get_by_role("button", name="Come in").click()
    await page.wait_for_url("**/operator")

    other = await place.browser.new_context()
    place.contexts.append(other)
    await other.request.get(guests)
    assert (await other.request.get(f"{place.house.url}/")).status == 200
    assert (await other.request.get(f"{place.house.url}/operator")).status == 403
    async with httpx.AsyncClient(base_url=place.house.url, headers={"origin": place.house.url}, timeout=60.0) as client:
        tries = await asyncio.gather(*(client.post("/login", data={"password": f"guess {n}"}) for n in range(12)))
    assert {answer.status_code for answer in tries} == {403, 429}
