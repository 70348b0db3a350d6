"""The first run in a real browser: what is on its way, and what somebody new is asked."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from dotenv import dotenv_values

from bot.store.keys import Keys
from bot.store.pulls import Pulled, Pulls
from bot.store.sessions import OPERATOR
from tests.browser.conftest import Tab, watched
from tests.browser.test_dashboard import SHOTS, THEMES, Place, place
from tests.wire.telegram_server import TOKEN, Telegram

__all__ = ["place"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODEL = "smollm2-135m-instruct"


async def opened(house: Place, *, phone: bool = False, locale: str = "en-US") -> Tab:
    context = await house.enter(OPERATOR, phone=phone, locale=locale)
    tab = watched(await context.new_page())
    await tab.page.goto(f"{house.house.url}/operator/start")
    await tab.page.locator(".steps").wait_for()
    return tab


async def shoot(tab: Tab, name: str) -> None:
    for scheme in THEMES if SHOTS else ():
        assert SHOTS is not None
        await tab.page.emulate_media(color_scheme=scheme)
        await tab.page.screenshot(path=SHOTS / f"{name}-{scheme}.png", full_page=True)


async def test_somebody_new_is_greeted_asked_and_shown_what_is_written(place: Place) -> None:
    file = place.house.data / "bot.toml"
    before = file.read_text(encoding="utf-8")
    pulls = Pulls(place.redis, Keys(place.house.prefix))
    await pulls.note([Pulled(model=MODEL, doing="downloading", done=40_000_000, total=160_000_000)])
    async with Telegram().serving() as telegram:
        file.write_text(f'{before}\n# by hand\n[connectors.telegram]\napi_url = "{telegram.root}"\n', encoding="utf-8")
        tab = await opened(place)
        page = tab.page
        await page.get_by_text("downloading 40 MB / 160 MB").wait_for()
        assert await page.get_by_role("progressbar", name=MODEL).get_attribute("aria-valuenow") == "25"
        await shoot(tab, "start-1-pulling")
        await pulls.note([Pulled(model=MODEL, doing="ready", done=1, total=1)])
        await page.get_by_text("Its models are ready").wait_for()

        await page.get_by_role("button", name="Connect Telegram").click()
        for token, said in (("1:wrong", "does not know this token"), (TOKEN, "This is @hobnob_bot.")):
            await page.get_by_label("Token").fill(token)
            await page.get_by_role("button", name="Try it").click()
            await page.get_by_text(said).wait_for()
        assert await page.get_by_role("link", name="Write to it").get_attribute("href") == "https://t.me/hobnob_bot"
        await shoot(tab, "start-2-telegram")

    await page.get_by_role("button", name="Choose its models").click()
    await page.get_by_role("button", name="What fits this machine?").click()
    await page.get_by_role("group", name="It chats with").wait_for()
    if await page.get_by_role("button", name="Show all").count():  # of a machine that is quick, this one is not among the best
        await page.get_by_role("button", name="Show all").first.click()
    await page.get_by_label(MODEL).check()
    await page.get_by_text("Licence: Apache").first.wait_for()
    await shoot(tab, "start-3-models")
    await page.get_by_role("button", name="Take these").click()
    await page.get_by_text(f"Taken: {MODEL}").wait_for()

    await page.get_by_role("button", name="Pick plugins").click()
    await page.get_by_role("switch", name="transcribe").check()
    await page.get_by_role("button", name="Make it yours").click()
    await page.get_by_role("button", name="Show me the words").click()
    assert (await page.locator(".codeword code").inner_text()).startswith("/claim ")
    await shoot(tab, "start-4-owner")
    shown = await page.locator(".diff").inner_text()
    assert "+[plugins.transcribe]" in shown
    assert "HOBNOB_CONNECTORS__TELEGRAM__TOKEN is set (not shown)" in shown
    assert TOKEN not in await page.content()
    await page.get_by_role("button", name="Write it and start anew").click()
    await page.get_by_text("It holds from the next start").wait_for(timeout=60_000)

    assert "# by hand\n[connectors.telegram]\n" in file.read_text(encoding="utf-8")
    assert dotenv_values(file.parent / ".env") == {"HOBNOB_CONNECTORS__TELEGRAM__TOKEN": TOKEN}
    assert tab.faults == []
    (file.parent / ".env").unlink()
    file.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_it_has_no_fault_for_those_who_see_or_hear_it(place: Place, phone: bool) -> None:
    tab = await opened(place, phone=phone, locale="zh-CN")
    for step in ("连接 Discord", "选择模型", "选择插件"):
        await tab.page.get_by_role("button", name=step).click()
        for scheme in THEMES:
            await tab.page.emulate_media(color_scheme=scheme)
            found = await Axe().run(tab.page)
            serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
            assert serious == [], found.generate_report()
    assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shoot(tab, f"start-zh-{'phone' if phone else 'desktop'}")
    assert tab.faults == []
