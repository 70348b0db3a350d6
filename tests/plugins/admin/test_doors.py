"""Who may use the bot at all: what an unknown server hears, whom that is asked, and what an owner decides."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot import Address, Applicant
from bot.allowing import AdmissionTable
from bot.router.admitting import ALONE, CLOSED, HELLO, KNOCKED, NOBODY, UNCLAIMED
from bot.store.applicants import Applicants
from bot.store.keys import Keys
from tests.plugins.admin.hall import Hall
from tests.plugins.admin.street import ANN, ANNS, BOB, BOBS, CHESS, CHOIR, Street, street

LOOKS = "The server Chess (chat/chess) wants me to work there."


async def test_a_bot_that_belongs_to_nobody_says_how_to_claim_it_and_works_where_that_was_done(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys) as here:
        assert await here.joins(CHESS) == [UNCLAIMED]
        assert await here.say("sing") == await here.say("/song") == []
        await here.own(BOB, CHESS)
        assert await here.say("/song", ANN) == ["La la la."]


async def test_the_owner_is_asked_once_and_an_approved_server_hears_hello(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, routers=2) as here:
        await here.own()
        assert await here.joins(CHESS) == [KNOCKED]
        assert [await here.say("/song", router=router) for router in (0, 1)] == [[], []]
        assert await here.say("/song", via="slash") == [KNOCKED], "whoever clicks or uses a listed command must be answered"
        assert here.hears(ANNS)[1:] == [LOOKS]
        assert await here.press("Approve") == ["chat/chess is let in. I have said hello there."]
        assert here.hears(CHESS)[-1].startswith("Hello. Mention me")
        assert await here.say("/song", router=1) == ["La la la."], "another router has what was in memory"
        assert await here.say("/song", place=CHOIR) == [KNOCKED]


async def test_a_server_that_the_owner_refuses_is_left_and_hears_nothing_more(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys) as here:
        await here.own()
        await here.joins(CHESS)
        assert await here.press("Leave", BOB) == [
            "Only an owner of this bot can do that: whoever runs it and has said `/claim` with the code that it printed."
        ]
        await here.press("Leave")
        assert (here.platform.departed, await here.say("/song")) == (["chess"], [])
        assert (await here.joins(CHESS), here.platform.departed) == ([CLOSED], ["chess", "chess"])


async def test_a_person_is_asked_for_as_a_server_is_and_owners_are_known_everywhere(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys) as here:
        await here.own()
        assert await here.say("/song", BOB, BOBS) == [ALONE]
        assert here.hears(ANNS)[-1] == "Bob (chat/bob) wants to talk with me alone."
        assert await here.say("/song", ANN, CHESS) == ["La la la."]
        await here.press("Approve")
        assert here.hears(BOBS)[-1] == HELLO
        assert await here.say("/song", BOB, BOBS) == ["La la la."]


async def test_a_closed_bot_leaves_new_servers_and_asks_nobody(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, AdmissionTable(servers="closed", direct="closed")) as here:
        await here.own()
        assert (await here.joins(CHESS), here.platform.departed) == ([CLOSED], ["chess"])
        assert (await here.say("/song", BOB, BOBS), await here.say("/song", BOB, BOBS)) == ([NOBODY], [])
        assert len(here.hears(ANNS)) == 1


async def test_who_came_through_an_open_door_stays_when_it_closes(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, AdmissionTable(servers="open"), routers=2) as here:
        await here.own()
        assert await here.say("/song", router=1) == ["La la la."]
        await opened(here, "New servers are not let in")
        assert (await here.say("/song", router=1), await here.say("/song", place=CHOIR)) == (["La la la."], [CLOSED])
        await opened(here, "New servers are let in")
        assert await here.say("/song", place=CHOIR, router=1) == ["La la la."]
        assert [deed.told for deed in await here.house.deeds(2)] == ["New servers are let in", "New servers are not let in"]


async def opened(here: Street, label: str) -> None:
    await here.say("/house", ANN, ANNS)
    await here.press(label)


async def test_the_owner_sees_who_waits_and_decides_there(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys) as here:
        await here.joins(CHESS)
        await here.say("hello", BOB, BOBS)
        await here.own()
        assert "2 wait to be let in" in here.hears(ANNS)[0]
        [shown] = await here.say("/house", ANN, ANNS)
        assert "- Chess (chat/chess) waits to be let in\n- Bob (chat/bob) waits to be let in" in shown
        await here.press("Refuse, and leave: Chess (chat/chess)")
        assert here.platform.departed == ["chess"]


async def test_where_more_wait_than_menus_hold_it_says_where_the_others_are(redis: Redis, keys: Keys) -> None:
    beyond = "The menus have the 25 of these {n} who wait longest, and the next once you have decided."
    async with street(redis, keys) as here:
        await here.own()
        for number in range(27):
            await Applicants(redis, keys).apply(Applicant(address=Address("chat", str(number), "main"), name=f"No. {number}", at=number))
        [shown] = await here.say("/house", ANN, ANNS)
        assert beyond.format(n=27) in shown and "`hobnob servers`" in shown
        with pytest.raises(AssertionError, match="no button"):
            await here.press("Let in: No. 26 (chat/26)")
        [shown, *_] = await here.press("Refuse, and leave: No. 3 (chat/3)")
        assert beyond.format(n=26) in shown
        [shown, *_] = await here.press("Let in: No. 25 (chat/25)")
        assert "The menus have" not in shown
        await here.press("Let in: No. 26 (chat/26)")
        assert [one.name for one in await Applicants(redis, keys).waiting()][-1] == "No. 24"


async def test_our_own_rooms_need_nobodys_leave(hall: Hall) -> None:
    assert await hall.say("/song") == "La la la."
