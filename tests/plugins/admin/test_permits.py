"""Who may do what, in a room: who is told what, and who can change it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from bot.errors import BadArguments
from bot.messages import Address, Message, Person
from bot.permissions import Grant, Permit
from bot.router.permits import decided, level
from bot.store.places import newcomer
from bot.store.servers import Choices, Server, Servers
from tests.plugins.admin.hall import ANN, ATTIC, BOB, HALL, Hall

DENIED = "You may not use /song here. An admin of this server can allow it, with /permissions."


async def test_what_is_denied_is_refused_with_who_can_allow_it_and_nowhere_else(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/song", BOB) == "La la la."
    told = (await hall.say("/permissions deny /song everyone")).splitlines()[:3]
    assert told == ["Saved.", "**Who may do what here**", "- everyone may not use /song, in this server"]
    assert await hall.say("/song", BOB) == DENIED
    assert await hall.say("/song", BOB, ATTIC) == "La la la."
    assert await hall.say("/song") == "La la la."
    assert await hall.say("/permissions allow /song @Bob") != ""
    assert await hall.say("/song", BOB) == "La la la."


async def test_a_plugin_that_is_denied_hears_and_does_nothing(hall: Hall) -> None:
    await hall.own()
    await hall.say("/song", BOB)
    await hall.say("/permissions deny singer member")
    assert await hall.say("sing", BOB) == ""
    assert await hall.press("Encore", BOB) == "You may not use singer here. An admin of this server can allow it, with /permissions."
    await hall.say("/permissions")
    assert "singer" not in await hall.press("every member may not use singer, in this server")
    assert await hall.say("sing", BOB) == "calm 3 happy together"


async def test_who_is_made_admin_is_one_until_it_is_taken_back(hall: Hall) -> None:
    await hall.own()
    told = "/permissions is for the moderators of this server, and you are a member here. An admin can allow it to you, with /permissions."
    assert await hall.say("/permissions", BOB) == told
    await hall.say("/permissions make @Bob admin")
    assert "Saved." in await hall.say("/settings singer loud 4", BOB)
    assert (await hall.say("/permissions", BOB)).splitlines()[1] == "- Bob is admin here"
    await hall.press("Bob is admin here")
    assert "you are a member here" in await hall.say("/settings singer loud 5", BOB)


@pytest.mark.parametrize("words", ["allow", "allow /song", "frobnicate", "make @Bob king", "allow so~ng everyone"])
async def test_what_cannot_be_granted_is_explained(hall: Hall, words: str) -> None:
    await hall.own()
    told = await hall.say(f"/permissions {words}")
    assert "Say `/permissions allow WHAT WHO`" in told or "Somebody is guest, member" in told


async def test_whoever_is_not_there_is_granted_nothing_and_who_is_there_is_named(hall: Hall) -> None:
    await hall.own()
    told = await hall.say("/permissions deny /song role:singers")
    assert told == "I know no role “singers” here."
    told = await hall.say("/permissions deny /song nobody")
    assert told.startswith("I know no role and nobody here who is called “nobody” (there is: ")


async def test_who_calls_themself_everyone_is_nobody_else(hall: Hall) -> None:
    await hall.own()
    await hall.rooms.people.join(HALL.room, newcomer("@everyone"))
    assert (await hall.say("/permissions deny /song @everyone")).startswith("Saved.")
    assert await hall.say("/song", BOB) == "La la la."


async def test_the_page_of_a_server_grants_nothing_in_places_that_are_not_there(hall: Hall) -> None:
    await hall.own()
    asked, denied = Message("", "", Address("room", HALL.room, "main"), ANN), {"who": "everyone", "what": "/song", "allowed": False}
    with pytest.raises(BadArguments, match="I know no channel “cellar” here"):
        await hall.router.office.permit(asked, Permit.model_validate(denied | {"place": "cellar"}))
    with pytest.raises(ValidationError):
        Permit.model_validate(denied | {"place": "x" * 201})
    await hall.router.office.permit(asked, Permit.model_validate(denied | {"place": "main"}))
    assert await hall.say("/song", BOB) == DENIED
    servers = Servers(hall.rooms._redis, hall.rooms._keys)
    assert set((await servers.get(asked.address.tenant)).channels) == {"main"}
    gone = Server(channels={"gone": Choices(grants=(Grant(who="everyone", what="/song", allowed=False),))})
    await servers.put(asked.address.tenant, gone)
    await hall.router.office.permit(asked, Permit(who="everyone", what="/song", place="gone"))
    assert not (await servers.get(asked.address.tenant)).channels


async def test_a_hundred_grants_can_all_be_taken_back(hall: Hall) -> None:
    await hall.own()
    grants = tuple(Grant(who=f"role:{n}", what="/song", allowed=False, name="r" * 90 + str(n)) for n in range(100))
    await Servers(hall.rooms._redis, hall.rooms._keys).put("room/hall", Server(choices=Choices(grants=grants)))
    await hall.say("/permissions")
    assert [len(menu.choices) for menu in (await hall.shown())[-1].body.menus] == [25, 25, 25, 25]


def message(**facts: object) -> Message:
    return replace(Message("1", "1", Address("discord", "g", "c"), Person("ada", "Ada")), **facts)  # type: ignore[arg-type]


def test_the_narrowest_grant_holds() -> None:
    ada = message(roles={"7": "artists"})
    everyone = Grant(who="everyone", what="*", allowed=False)
    artists = Grant(who="role:7", what="imagine", allowed=True)
    her = Grant(who="person:ada", what="/imagine", allowed=False)
    assert decided([()], ada, "member", "imagine", "imagine") is None
    assert decided([(everyone,)], ada, "member", "imagine", "imagine") is False
    assert decided([(everyone, artists)], ada, "member", "imagine", "imagine") is True
    assert decided([(everyone, artists, her)], ada, "member", "imagine", "imagine") is False
    assert decided([(artists,), (her,)], ada, "member", "imagine", "imagine") is True, "the channel's before the server's"
    assert decided([(Grant(who="level:member", what="*", allowed=False),)], ada, "moderator", "imagine", "") is None


def test_levels_come_from_the_platform_and_from_the_servers_own_word() -> None:
    assert level(message(), {}) == "member"
    assert level(message(guest=True), {}) == "guest"
    assert level(message(moderates=True), {}) == "moderator"
    assert level(message(manages=True), {"role:7": "member"}) == "admin"
    assert level(message(roles={"7": "artists"}), {"role:7": "moderator"}) == "moderator"
    assert level(message(manages=True), {"person:ada": "guest"}) == "guest"
