"""The forms of settings, in a room: what they show, what they take, and what they refuse."""

from __future__ import annotations

import pytest

from bot.messages import File, Text
from bot.store.places import Draft, part_of
from bot.store.servers import Choices, Server, Servers
from tests.plugins.admin.hall import ANN, ATTIC, BOB, HALL, Hall

FORM = (
    "**Settings of singer, for this server**\n"
    "- Tone: {tone}\n"
    "- Loudness: {loud}\n"
    "- Mood: happy (as it came)\n"
    "- Alone: no (as it came)\n"
    "- Words: nothing (as it came)"
)
AS_IT_CAME = FORM.format(tone="calm (as it came)", loud="3 (as it came)")


async def asked(hall: Hall, label: str, answer: str) -> str:
    """Presses a button that asks for something, and fills that in."""
    await hall.press(label)
    return await hall.fill(answer)


async def test_everybody_sees_what_holds_and_admins_change_it(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/settings singer", BOB) == AS_IT_CAME
    assert await hall.labels() == []
    await hall.say("/settings singer")
    assert await hall.labels() == ["Tone", "Loudness", "Mood", "Alone", "Words", "Import", "All plugins"]


async def test_settings_of_every_kind_are_changed_by_what_suits_them(hall: Hall) -> None:
    await hall.own()
    await hall.say("/settings singer")
    assert await hall.press("Loudness") == "**Loudness**, for this server\nHow loud it sings.\nNow: 3 (as it came)"
    assert "Saved.\n" in await asked(hall, "Change", "7")
    await hall.press("Mood")
    await hall.press("sad")
    await hall.press("Alone")
    await hall.press("Yes")
    await hall.press("Words")
    await asked(hall, "Change", "love, moon")
    await hall.press("Tone")
    await asked(hall, "Change", "warm\nand dark")
    assert await hall.say("sing") == "warm\nand dark 7 sad alone love moon"
    assert await hall.say("sing", place=ATTIC) == "calm 3 happy together"


async def test_what_does_not_fit_is_named_and_nothing_is_saved(hall: Hall) -> None:
    await hall.own()
    await hall.say("/settings singer loud")
    assert await asked(hall, "Change", "12") == "Loudness: input should be less than or equal to 11."
    assert await hall.say("/settings singer volume 3") == "singer has no setting volume. There is: tone, loud, mood, solo, words."
    assert await hall.say("/settings choir") == "There is no plugin choir here."
    assert await hall.say("sing") == "calm 3 happy together"


async def test_one_who_knows_what_they_want_says_it_at_once_and_takes_it_back(hall: Hall) -> None:
    await hall.own()
    told = "Saved.\n" + FORM.format(tone="very warm indeed (by this server)", loud="3 (as it came)")
    assert await hall.say("/settings singer tone very warm indeed") == told
    assert await hall.say("/settings singer tone reset") == "Saved.\n" + AS_IT_CAME
    await hall.say("/settings singer loud 5")
    await hall.say("/settings singer")
    assert await hall.press("Reset all") == "All of it is as before.\n" + AS_IT_CAME


async def test_members_change_nothing_and_are_told_why(hall: Hall) -> None:
    told = "Only the admins of this server can change its settings, and you are a member here. Ask one of them."
    assert await hall.say("/settings singer loud 5", BOB) == told
    await hall.own()
    await hall.say("/settings singer solo")
    assert await hall.press("Yes", BOB) == told
    assert (await hall.shown())[-1].body.only == BOB.id
    assert await hall.say("sing") == "calm 3 happy together"


async def test_the_second_of_two_admins_sees_the_change_of_the_first_and_confirms(hall: Hall) -> None:
    await hall.own()
    await hall.own(BOB)
    await hall.say("/settings singer solo")
    await hall.say("/settings singer loud 5", BOB)
    told = await hall.press("Yes")
    assert told == "Bob has changed singer meanwhile (loud: not chosen → 5). Nothing was saved: look at it as it is now, and confirm."
    assert await hall.say("sing") == "calm 5 happy together"
    await hall.press("Save it all the same")
    assert await hall.say("sing") == "calm 5 happy alone"


async def test_who_is_no_admin_any_more_when_the_form_comes_back_is_refused(hall: Hall) -> None:
    await hall.own()
    await hall.say("/settings singer loud")
    await hall.press("Change")
    await hall.rooms._redis.delete(hall.rooms._keys.house())
    told = "Only the admins of this server can change its settings, and you are a member here. Ask one of them."
    assert await hall.fill("7") == told


async def test_a_forged_button_does_nothing(hall: Hall) -> None:
    await hall.own()
    await hall.rooms.click(HALL, "1", "0123456789abcdef01234567", BOB)
    await hall.quiet()
    assert (await hall.shown())[-1].text == "This button is too old to work."


async def test_settings_are_taken_home_as_toml_and_brought_to_another_server(hall: Hall) -> None:
    await hall.own()
    for words in ("tone warm and dark", "solo yes", "words love, moon"):
        await hall.say(f"/settings singer {words}")
    await hall.say("/settings singer")
    await hall.press("Export")
    (part,) = [part for part in (await hall.shown())[-1].body.parts if isinstance(part, File)]
    content = b"".join([piece async for piece in hall.rooms.uploads.read(part.source.id)]).decode()
    assert content == '[singer]\ntone = "warm and dark"\nsolo = true\nwords = [\n    "love",\n    "moon",\n]\n'
    await hall.own(place=ATTIC)
    kept = await hall.rooms.uploads.put(content.encode(), "singer.toml")
    await hall.rooms.say(ATTIC, Draft(ANN, (Text("/settings"), part_of(kept))))
    await hall.quiet()
    assert (await hall.shown(ATTIC))[-1].text.startswith("Imported: singer.\n")
    assert await hall.say("sing", place=ATTIC) == "warm and dark 3 happy alone love moon"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("loud = ", "This is not TOML: Invalid value (at end of document)."),
        ("loud = 99", "Loudness: input should be less than or equal to 11."),
        ("[singer]\nvolume = 3", "singer has no setting volume. There is: tone, loud, mood, solo, words."),
        ("", "There are no settings in it."),
    ],
)
async def test_what_cannot_be_imported_is_said(hall: Hall, text: str, told: str) -> None:
    await hall.own()
    await hall.say("/settings singer")
    await hall.press("Import")
    assert await hall.fill(text or "[singer]") == told


async def test_what_was_chosen_for_a_plugin_that_is_gone_is_shown_and_kept(hall: Hall) -> None:
    await hall.own()
    servers = Servers(hall.rooms._redis, hall.rooms._keys)
    await servers.put("room/hall", Server(choices=Choices(settings={"choir": {"voices": 4}})))
    assert "- choir: 1, kept until it is installed again" in await hall.say("/settings")
    told = "**Settings of choir, for this server**\n- voices: 4 (by this server)"
    assert (await hall.say("/settings choir")) == told
    assert "- **choir** is not installed any more. What was chosen for it is kept." in await hall.say("/plugins")


async def test_the_bots_own_settings_are_there_too(hall: Hall) -> None:
    await hall.own()
    assert "- the bot itself: 8" in await hall.say("/settings")
    await hall.press("the bot itself")
    await hall.press("Words")
    assert "Saved." in await asked(hall, "Change", "computer, hob")
    assert (await Servers(hall.rooms._redis, hall.rooms._keys).get("room/hall")).choices.talking.words == ("computer", "hob")
