"""The README's picture of a room, in which real models answer two people: `python -m tests.journeys.pictures FILE`, or `make pictures`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from bot.config import load
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.journeys.__main__ import PATIENCE, ROOT, SHIPPED, Journey, come, say

SPEECH = ROOT / "tests/data/audio/jfk.wav"
MICROPHONE = f"--use-file-for-fake-audio-capture={SPEECH}%noloop"


async def room(journey: Journey, file: Path) -> None:
    """Two people, a voice note as text, and an answer that is being written."""
    async with journey.running() as link, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, MICROPHONE])
        context = await browser.new_context(viewport={"width": 1280, "height": 880}, device_scale_factor=1.5, permissions=["microphone"])
        context.set_default_timeout(PATIENCE * 1000)
        await context.request.get(link)
        jonas, mia = await context.new_page(), await context.new_page()
        for page, name in ((jonas, "Jonas Berg"), (mia, "Mia")):
            await page.goto(link.partition("/enter")[0])
            await come(page, name)
        await say(jonas, "Good morning! The kettle is on.")
        await say(jonas, "@Hobnob What is the capital of France?")
        await mia.locator(".message.bot:not(.busy)").wait_for()
        await mia.bring_to_front()
        await mia.get_by_role("button", name="Record a voice note").click()
        await mia.get_by_text("0:11").wait_for()
        await mia.get_by_role("button", name="Send the recording").click()
        await mia.locator(".message.bot:not(.busy)", has_text="country").wait_for()
        await say(jonas, "@Hobnob What is a haiku?")
        await mia.bring_to_front()
        await mia.mouse.move(0, 0)
        await mia.wait_for_function("document.querySelector('.message.bot.busy .words')?.innerText.length > 80")
        await mia.screenshot(path=file)
        await browser.close()


if __name__ == "__main__":
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        models = {"HOBNOB_MODELS__DIR": str(load(SHIPPED).models_dir)}
        asyncio.run(room(Journey("pictures", Path(folder) / "hobnob", ours | models), Path(sys.argv[1])))
