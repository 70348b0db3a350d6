"""What the bot tells of itself, in a room: help, models, the log, and what is taken away."""

from __future__ import annotations

from bot.store.places import Place
from tests.hands import worker
from tests.plugins.admin.hall import ANN, BOB, HALL, Hall


async def test_help_shows_exactly_what_this_person_may_do_here(hall: Hall) -> None:
    await hall.own()

    async def commands(person: object) -> set[str]:
        text = await hall.say("/help", BOB if person is BOB else ANN)
        return {line.removeprefix("- `/").partition("`")[0].partition(" ")[0] for line in text.splitlines() if line.startswith("- `/")}

    everybody = {"cancel", "plugins", "settings", "claim", "help", "about", "mydata", "privacy", "language", "quota", "why", "song", "hum"}
    assert await commands(BOB) == everybody
    assert await commands(ANN) == everybody | {"permissions", "audit", "dashboard", "remove", "house", "bar"}
    await hall.say("/permissions deny /song everyone")
    assert await commands(BOB) == everybody - {"song"}
    await hall.say("/plugins")
    await hall.press("Switch singer off")
    assert await commands(BOB) == everybody - {"song", "hum"}
    assert (await hall.shown())[-1].body.only == BOB.id


async def test_about_names_the_models_with_their_licences_and_says_what_they_are(hall: Hall) -> None:
    assert (await hall.say("/about")).endswith("No model is at work right now.")
    async with worker(hall.rooms._redis, hall.rooms._keys, ["say"], lambda asked: ("", asked["no"])):
        told = await hall.say("/about")
    assert told.startswith("I am a program.")
    assert told.endswith("- **model**")


async def test_admins_read_who_changed_what(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/audit") == "Nobody has changed anything here."
    await hall.say("/settings singer loud 5")
    assert " UTC, Ann: singer, loud: not chosen → 5" in await hall.say("/audit")
    assert (await hall.say("/audit", BOB)).startswith("/audit is for the admins of this server, and you are a member here.")
    assert await hall.say("/audit", place=Place("attic")) == "Nobody has changed anything here."


async def test_moderators_take_away_what_the_bot_said(hall: Hall) -> None:
    await hall.own()
    await hall.say("/song", BOB)
    song = (await hall.shown())[-1]
    assert "is for the moderators" in await hall.say("/remove", BOB, reply_to=song.id)
    assert await hall.rooms.get(HALL, song.id) is not None
    assert await hall.say("/remove", reply_to=song.id) == "Removed."
    assert await hall.rooms.get(HALL, song.id) is None
    assert await hall.say("/remove") == "Use this in a reply to what I said."
