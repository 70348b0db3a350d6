"""The room in a real browser: what people see, say and hear there."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from bot.messages import Text
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.places import BOT, Body, Draft, Place, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until
from bot.web.room import HISTORY
from tests.browser.conftest import Tab, Visitors, watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def new(text: str) -> str:
    """Words that no other test has said."""
    return f"{text} {uuid.uuid4().hex[:8]}"


async def test_two_tabs_with_two_names_are_two_people_in_one_channel(visitors: Visitors) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab("Bob")
    words = new("hello")

    await ann.say(words)

    await bob.sees(words)
    message = bob.page.locator(".message", has_text=words)
    assert await message.locator(".name").inner_text() == "Ann"
    assert "mine" not in (await message.get_attribute("class") or "")
    assert "mine" in (await ann.page.locator(".message", has_text=words).get_attribute("class") or "")
    await bob.page.locator(".people li", has_text="Ann").first.wait_for()
    assert ann.faults == bob.faults == []


async def test_a_late_joiner_sees_what_was_said(visitors: Visitors) -> None:
    words = new("early")
    await (await visitors.tab("Ann")).say(words)

    await (await visitors.tab("Late")).sees(words)


async def test_a_mention_brings_an_answer_that_grows_in_place(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    words = new("@Hobnob what is")
    await ann.page.evaluate(
        "window.grown = []; new MutationObserver(() => { const last = [...document.querySelectorAll('.message.bot')].at(-1);"
        "if (last) window.grown.push([last.id, last.querySelector('.words').textContent.length, last.classList.contains('busy')]); })"
        ".observe(document.querySelector('.list'), {subtree: true, childList: true, characterData: true, attributes: true})"
    )

    await ann.say(words)
    answer = ann.page.locator(".message.bot:not(.busy)", has_text=f"Ann said: {words}").last
    await answer.wait_for()

    id = await answer.get_attribute("id")
    steps = [step for step in await ann.page.evaluate("window.grown") if step[0] == id]
    assert len({length for _, length, busy in steps if busy}) > 3
    assert await answer.get_attribute("aria-busy") == "false"
    assert await answer.locator(".quote b").inner_text() == "Ann"
    assert await answer.locator(".keys button").all_inner_texts() == ["Again", "Another"]


async def test_without_a_mention_the_bot_stays_silent_and_a_reply_wakes_it(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    quiet, asked, replied = new("just talking"), new("@Hobnob speak"), new("and then?")
    await ann.say(quiet)
    await ann.say(asked)
    answer = ann.page.locator(".message.bot:not(.busy)", has_text=asked).last
    await answer.wait_for()

    await answer.hover()
    await answer.get_by_label("Reply").click()
    assert "Hobnob" in await ann.page.locator(".quoting").inner_text()
    await ann.say(replied)

    await ann.sees(f"Ann said: {replied}")
    assert await ann.page.locator(".message.bot", has_text=quiet).count() == 0
    assert await ann.page.locator(".quoting").count() == 0


async def test_an_at_sign_offers_the_bot_and_the_people(visitors: Visitors) -> None:
    ann, name = await visitors.tab("Ann"), new("Zoe")
    await visitors.tab(name)
    await ann.page.locator(".people li", has_text=name).wait_for()

    await ann.page.locator("#composer").press_sequentially("hi @")
    assert "Hobnob" in (await ann.page.locator(".offered li").first.inner_text())
    await ann.page.locator("#composer").press_sequentially("zo")
    await ann.page.locator(".offered li", has_text=name).wait_for()
    while name not in await ann.page.locator(".offered li[aria-selected=true]").inner_text():
        await ann.page.press("#composer", "ArrowDown")
    await ann.page.press("#composer", "Tab")

    assert await ann.page.input_value("#composer") == f"hi @{name} "


async def test_people_of_one_name_are_offered_once(visitors: Visitors) -> None:
    ann, name = await visitors.tab("Ann"), new("Yan")
    await visitors.tab(name)
    await visitors.tab(name)
    await ann.page.bring_to_front()
    await ann.page.wait_for_function("name => document.querySelector('.people').innerText.split(name).length === 3", arg=name)

    await ann.page.locator("#composer").press_sequentially("hi @yan")

    assert await ann.page.locator(".offered li", has_text=name).count() == 1


async def test_a_direct_conversation_is_seen_in_no_other_tab(visitors: Visitors) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab("Bob")
    secret, public = new("my secret"), new("to all")
    await ann.go("Hobnob")
    await ann.say(secret)
    await ann.sees(f"Ann said: {secret}")
    await ann.go("Everyone")
    await ann.say(public)
    await bob.sees(public)

    await bob.go("Hobnob")

    assert secret not in await bob.page.content()
    assert await bob.page.locator(".message", has_text="secret").count() == 0


async def test_a_button_under_an_answer_reaches_the_bot(visitors: Visitors) -> None:
    ann = await visitors.tab(new("Ann"))
    name = await ann.page.locator(".rename span:not(.avatar)").inner_text()
    await ann.go("Hobnob")
    await ann.say("go")

    await ann.page.get_by_role("button", name="Again").last.click()

    await ann.sees(f"{name} clicked again.")


async def test_files_come_up_by_button_drop_and_paste_and_are_shown(visitors: Visitors, tmp_path: Path) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab("Bob")
    picture, notes, words = tmp_path / "cat.png", tmp_path / "notes <b>.txt", new("look")
    picture.write_bytes(PIXEL)
    notes.write_text("some notes")
    await ann.page.set_input_files("input[type=file]", [picture, notes])
    for event, target in (("drop", ".room"), ("paste", "#composer")):
        await ann.page.evaluate(
            "([event, target]) => { const data = new DataTransfer(); data.items.add(new File(['x'], event + '.txt'));"
            "const made = event === 'drop' ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})"
            ": new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});"
            "document.querySelector(target).dispatchEvent(made) }",
            [event, target],
        )
    await ann.page.wait_for_function("document.querySelectorAll('.attached li.ready').length === 4")
    await ann.say(words)

    await bob.sees(words)
    message = bob.page.locator(".message", has_text=words)
    await message.locator(".picture img").wait_for()
    assert await message.locator(".picture img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    names = [text.split("\n")[0] for text in await message.locator(".file").all_inner_texts()]
    assert names == ["notes _b_.txt", "drop.txt", "paste.txt"]
    async with bob.page.expect_download() as download:
        await message.locator(".file").first.click()
    saved = await (await download.value).path()
    assert saved.read_text() == "some notes"


async def test_a_voice_note_recorded_in_the_page_arrives_as_webm(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.go("Hobnob")
    await ann.page.get_by_label("Record a voice note").click()
    await ann.page.locator(".meter b", has_text="0:01").wait_for()

    await ann.page.get_by_label("Send the recording").click()

    await ann.page.locator(".words", has_text="audio/webm, beginning 1a45dfa3").wait_for()
    player = ann.page.locator(".player")
    assert re.fullmatch("0:0[1-9]", await player.locator(".time").inner_text())  # a slow machine clicks later
    await player.get_by_label("Play voice note").click()
    await player.get_by_label("Pause").wait_for()

    answer = ann.page.locator(".message.bot", has_text="audio/webm").last
    await answer.hover()
    await answer.get_by_label("Reply").click()
    await ann.say("@Hobnob times")
    moment = ann.page.locator(".moment", has_text="0:01").last
    await moment.click()
    await ann.page.locator(".moment.now", has_text="0:01").wait_for()


async def test_a_voice_note_that_cannot_be_brought_up_stays_and_can_be_sent_again(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.page.route("**/files?*", lambda route: route.abort())
    await ann.page.get_by_label("Record a voice note").click()
    await ann.page.locator(".meter b", has_text="0:01").wait_for()
    await ann.page.get_by_label("Send the recording").click()
    await ann.page.locator(".toast", has_text="could not be sent").wait_for()
    assert "Recorded" in await ann.page.locator(".meter").inner_text()

    await ann.page.unroute("**/files?*")
    before = await ann.page.locator(".player").count()
    await ann.page.get_by_label("Send the recording").click()

    await ann.page.wait_for_function("before => document.querySelectorAll('.player').length === before + 1", arg=before)
    await ann.page.locator(".toast").wait_for(state="detached")


async def test_what_is_sent_again_after_a_silence_stands_there_once(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    words = new("slow")
    await ann.page.clock.install()
    visitors.house.halt()
    await ann.page.fill("#composer", words)
    await ann.page.press("#composer", "Enter")
    await ann.page.clock.fast_forward(8000)
    await ann.page.locator(".toast", has_text="send it again").wait_for()

    await ann.page.press("#composer", "Enter")
    visitors.house.go_on()

    await ann.sees(words)
    await ann.page.wait_for_function("document.querySelector('#composer').value === ''")  # until then nothing else is sent
    await ann.say(new("and then"))
    assert await ann.page.locator(".message", has_text=words).count() == 1
    assert await ann.page.locator(".toast").count() == 0


async def test_what_is_written_while_a_message_is_on_its_way_stays(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    words = new("first")
    visitors.house.halt()
    await ann.page.fill("#composer", words)
    await ann.page.press("#composer", "Enter")
    await ann.page.locator("#composer").press_sequentially("next")
    visitors.house.go_on()

    await ann.sees(words)
    await ann.page.wait_for_function("document.querySelector('#composer').value === 'next'")


async def test_a_name_that_is_taken_is_refused_where_it_was_typed(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.page.locator(".rename").click()
    await ann.page.fill("dialog[open] input", "hobnob")
    await ann.page.click("dialog .go")

    await ann.page.locator("dialog .fault", has_text="Hobnob is the bot's name").wait_for()
    assert await ann.page.locator(".toast").count() == 0
    await ann.page.keyboard.press("Escape")
    await ann.page.locator("dialog").wait_for(state="hidden")
    assert await ann.page.locator(".toast").count() == 0


async def test_enter_sends_shift_enter_breaks_the_line_and_nothing_sends_nothing(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.page.press("#composer", "Enter")
    words = new("first")
    before = await ann.page.locator(".message").count()
    await ann.page.fill("#composer", "   ")
    await ann.page.press("#composer", "Enter")
    await ann.page.fill("#composer", words)
    await ann.page.press("#composer", "Shift+Enter")
    await ann.page.locator("#composer").press_sequentially("second")
    await ann.page.press("#composer", "Enter")

    await ann.sees(words)
    assert await ann.page.locator(".message .words").last.inner_text() == f"{words}\nsecond"
    assert await ann.page.locator(".message").count() == before + 1


async def test_too_much_text_gets_a_sentence_and_stays_in_the_box(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.page.fill("#composer", "x" * 20_001)
    await ann.page.press("#composer", "Enter")

    notice = await ann.page.locator(".toast").inner_text()

    assert "20,001 characters and a message holds 20,000" in notice
    assert await ann.page.evaluate("document.querySelector('#composer').value.length") == 20_001


async def test_a_megabyte_of_text_that_is_pasted_becomes_a_file(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.page.evaluate(
        "() => { const data = new DataTransfer(); data.setData('text/plain', 'x'.repeat(1_000_000));"
        "document.querySelector('#composer').dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})) }"
    )

    await ann.page.locator(".attached li.ready", has_text="text.txt").wait_for()

    assert "1,000,000 characters" in await ann.page.locator(".toast").inner_text()
    assert await ann.page.input_value("#composer") == ""


async def test_nothing_on_the_page_loads_from_elsewhere_and_nothing_complains(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.say("![a](https://example.org/a.png) <img src=https://example.org/b.png> <script>alert(1)</script> [x](javascript:alert(1))")
    await ann.say("@Hobnob show code")
    await ann.page.locator(".code").last.wait_for()

    assert ann.elsewhere() == []
    assert any(url.startswith("ws:") for url in ann.requests)
    assert ann.faults == []
    assert await ann.page.locator(".words img, .words script, .words a[href^=javascript]").count() == 0


async def test_the_page_is_used_with_the_keyboard_alone(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    words = new("by hand")
    await ann.say(words)
    await ann.page.locator(".message", has_text=words).focus()
    await ann.page.keyboard.press("Tab")
    await ann.page.keyboard.press("Enter")

    assert words in await ann.page.locator(".quoting").inner_text()
    assert await ann.page.evaluate("document.activeElement.id") == "composer"
    await ann.page.keyboard.press("Escape")
    await ann.page.locator(".quoting").wait_for(state="detached")


async def test_what_is_new_is_marked_and_who_writes_is_named(visitors: Visitors) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab(new("Bob"))
    name = await bob.page.locator(".rename span:not(.avatar)").inner_text()
    first, second = new("first"), new("second")
    await ann.go("Hobnob")
    for words in (first, second):
        await bob.say(words)
    await ann.page.bring_to_front()
    await ann.page.locator(".tabs button", has_text="Everyone").locator(".count", has_text="2").wait_for()
    await ann.go("Everyone")
    marked = ann.page.locator(".day.fresh + .message")
    await marked.filter(has_text=first).wait_for()

    async def told() -> bool:
        await bob.page.locator("#composer").press_sequentially("x")
        return await ann.page.locator(".writers", has_text=f"{name} is writing").count() > 0

    await wait_until(told)
    await bob.say(new("there"))
    await ann.page.bring_to_front()
    await ann.page.locator(".writers", has_text=name).wait_for(state="detached")
    await ann.say(new("seen"))
    await ann.page.locator(".day.fresh").wait_for(state="detached")
    assert ann.faults == bob.faults == []


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_stands_out_from_its_ground(visitors: Visitors, phone: bool, scheme: str) -> None:
    ann = await visitors.tab("Ann", await visitors.context(phone) if phone else None)
    await ann.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")  # no colour is on its way
    await ann.go("Hobnob")
    await ann.say("@Hobnob show `inline` code")
    await ann.page.locator(".keys button").last.wait_for()

    await ann.page.fill("#composer", "next")
    await ann.page.get_by_label("Send", exact=True).hover()

    assert await contrasts_below(ann, 4.5) == []
    if phone == (scheme == "dark"):  # each layout and each scheme once: an inspection takes a second
        found = await Axe().run(ann.page)
        assert [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")] == [], found.generate_report()
    assert await ann.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    send = ann.page.get_by_label("Send", exact=True)
    assert await send.evaluate("button => getComputedStyle(button).color") == await ink(ann, "--accent-ink")


async def ink(tab: Tab, name: str) -> str:
    """A colour of the page as the browser writes it."""
    script = "name => { const one = document.querySelector('.room').appendChild(document.createElement('i'));"
    colour: str = await tab.page.evaluate(f"{script} one.style.color = `var(${{name}})`; return getComputedStyle(one).color }}", name)
    return colour


async def contrasts_below(tab: Tab, least: float) -> list[str]:
    """Every text on the page whose contrast with what lies behind it is smaller, by the formula of WCAG 2."""
    script = (Path(__file__).with_name("contrast.js")).read_text()
    found: list[str] = await tab.page.evaluate(script, least)
    return found


async def test_the_colours_can_be_chosen_and_stay(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann", await visitors.context())
    ground = "getComputedStyle(document.querySelector('.room')).backgroundColor"
    light = await ann.page.evaluate(ground)

    await ann.page.get_by_label("Colours: system").click()
    dark = await ann.page.evaluate(ground)
    await ann.page.reload()
    await ann.page.get_by_label("Colours: dark").wait_for()

    assert dark != light
    assert await ann.page.evaluate(ground) == dark


async def test_a_chinese_browser_reads_chinese_pages_that_fit_its_phone(visitors: Visitors) -> None:
    context = await visitors.context(phone=True, locale="zh-CN")
    ann = watched(await context.new_page())
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    for path, title in (("/nowhere", "没有这个页面"), ("/login", "没有设定密码")):
        await ann.page.goto(f"{visitors.house.url}{path}")
        assert await ann.page.inner_text("h1") == title
        assert (await ann.page.get_attribute("html", "lang"), await ann.page.evaluate(narrow)) == ("zh-Hans", True)
    ann.faults.clear()  # that there is no such page

    await ann.page.goto(visitors.house.url)
    await ann.page.get_by_label("你的名字").fill("Hobnob")
    await ann.page.get_by_role("button", name="进入").click()
    await ann.page.get_by_text("Hobnob 是机器人的名字").wait_for()  # said by what hears the page, in a task of its own
    await ann.page.get_by_label("你的名字").fill("小安")
    await ann.page.get_by_role("button", name="进入").click()
    await ann.say("```\n1\n```")
    await ann.page.get_by_role("button", name="复制").last.wait_for()  # in what the page follows

    assert await ann.page.get_attribute("html", "lang") == "zh-CN"
    assert await ann.page.evaluate(narrow)
    words = [await ann.page.inner_text(part) for part in (".tabs", ".top", ".foot")]
    assert set(re.findall(r"[A-Za-z]+", " ".join(words))) == {"Hobnob"}
    assert ann.faults == []


async def test_rooms_and_threads_are_opened_left_and_tell_what_is_new(visitors: Visitors) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab("Bob")
    room, here, there = f"attic-{uuid.uuid4().hex[:6]}", new("downstairs"), new("@Hobnob upstairs")
    await ann.page.get_by_label("New room").click()
    await ann.page.get_by_label("Name of the new room").fill(room)
    await ann.page.keyboard.press("Enter")
    await ann.page.locator(".tabs [aria-current]", has_text=room).wait_for()
    await bob.say(here)
    await ann.page.locator(".tabs button", has_text="Everyone").locator(".count").wait_for()
    await ann.say(there)
    answer = ann.page.locator(".message.bot:not(.busy)", has_text=there).last
    await answer.wait_for()
    assert await ann.page.locator(".message", has_text=here).count() == 0

    phone = await visitors.tab("Cat", await visitors.context(phone=True))
    await phone.page.locator(".tabs button", has_text=room).wait_for()
    assert await phone.page.evaluate(
        "Math.max(...[...document.querySelectorAll('.side, main')].map(one => one.getBoundingClientRect().right)) <= innerWidth"
    )
    await answer.hover()
    await answer.get_by_label("Thread").click()
    await ann.say("@Hobnob aside")
    await ann.sees("Ann said: @Hobnob aside")
    await ann.page.get_by_label("Back to the room").click()
    await ann.page.locator(".replies", has_text="2 replies").wait_for()
    assert await ann.page.locator(".message", has_text="aside").count() == 0
    await ann.page.reload()
    await ann.page.locator(".tabs [aria-current]", has_text=room).wait_for()
    assert ann.faults == bob.faults == []


async def test_what_one_said_is_changed_and_taken_back(visitors: Visitors) -> None:
    ann, bob = await visitors.tab("Ann"), await visitors.tab("Bob")
    words, better = new("@Hobnob wat"), new("@Hobnob what")
    await ann.say(words)
    await ann.sees(f"Ann said: {words}")
    await ann.page.locator("#composer").press("ArrowUp")
    await ann.say(better)

    await bob.sees(f"Ann said: {better}")
    message = ann.page.locator(".message.mine", has_text=better)
    await message.locator(".changed").wait_for()
    await message.hover()
    await message.get_by_label("Take back").click()
    await bob.page.locator(".message:not(.bot)", has_text=better).wait_for(state="detached")
    assert await bob.page.locator(".message .acts").get_by_label("Take back").count() == 0, "of somebody else"
    assert ann.faults == bob.faults == []


async def test_menus_and_forms_are_native_and_times_move_the_recording(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.go("Hobnob")
    await ann.say("the menu please")
    answer = ann.page.locator(".message.bot:not(.busy)", has_text="the menu please").last
    await answer.wait_for()
    answer = ann.page.locator(f"#{await answer.get_attribute('id')}")  # whatever is said about it later
    await answer.get_by_label("Drink").select_option(label="Milk")
    await ann.sees("Ann clicked one 1.")
    await answer.get_by_label("Oil").check()
    await answer.get_by_label("Salt").check()
    await answer.locator(".menu button").click()
    await ann.sees("Ann clicked some 0 1.")

    await answer.get_by_role("button", name="Another").click()
    form = ann.page.get_by_role("dialog", name="Another drink")
    await form.get_by_label("Name").fill("juice")
    await form.get_by_label("Size").select_option("large")
    assert await contrasts_below(ann, 4.5) == []
    await form.get_by_role("button", name="Save").click()
    await ann.sees("Ann clicked fill juice large.")
    await answer.get_by_role("button", name="Another").click()
    await form.get_by_role("button", name="Leave it").click()
    await ann.page.locator(".message", has_text="Another drink").wait_for(state="detached")
    assert ann.faults == []


async def below(page: Any, text: str) -> float:
    """Where a message ends, in pixels; above its words stands its author's name, until older ones of the author are there."""
    box = await page.locator(".message", has_text=text).bounding_box()
    return float(box["y"] + box["height"])


async def test_older_messages_come_as_one_reads_up_and_what_one_reads_stays(visitors: Visitors) -> None:
    house, redis = visitors.house, connect(visitors.house.redis_url)
    rooms, name = Rooms(redis, Keys(house.prefix), house.data / "files"), f"long-{uuid.uuid4().hex[:6]}"
    for number in range(HISTORY + 30):
        await rooms.send(Place(name), BOT, Body(parts=(Text(f"line {number}."),)), f"{name}{number}")
    ann = await visitors.tab("Ann")
    await rooms.say(Place(name), Draft(newcomer("Bob"), (Text("the last"),)))
    await redis.aclose()
    await ann.go(name)
    await ann.sees("the last")
    page = ann.page
    assert await page.locator(".message", has_text="line 5.").count() == 0
    await page.locator(".list").evaluate("list => list.scrollTo(0, 0)")
    seen = await below(page, "line 31.")
    await page.locator(".message", has_text="line 5.").wait_for(state="attached")
    assert abs(await below(page, "line 31.") - seen) < 1.0, "it stays where it is"
    await page.locator(".message", has_text="line 0.").first.scroll_into_view_if_needed()
    assert ann.faults == []
