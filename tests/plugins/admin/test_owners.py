"""How somebody becomes an owner."""

from __future__ import annotations

import pytest

from bot.choices import Deed
from bot.house import Order
from bot.store.shifts import Offer, Shift
from bot.testing import wait_until
from tests.plugins.admin.hall import ANN, ATTIC, BOB, Hall

UNKNOWN = "This code is not known, used up, or older than a day. Whoever runs me gets a new one with `hobnob claim`."


async def test_a_code_makes_one_owner_once(hall: Hall) -> None:
    code = await hall.house.offer()
    assert await hall.say("/claim AAAA-BBBB-CCCC") == UNKNOWN
    assert "You own me now" in await hall.say(f"/claim {code.lower().replace('-', ' ')}", ANN)
    assert await hall.say(f"/claim {code}", BOB) == UNKNOWN
    assert [owner.name for owner in (await hall.house.get()).owners.values()] == ["Ann"]
    assert [(deed.name, deed.told) for deed in await hall.house.deeds(5)] == [("Ann", "became an owner")]


async def test_what_an_owner_shuts_out_is_out_everywhere_at_once_and_let_in_again(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/bar person", BOB) == "/bar is for the owners of this bot, and you are a member here."
    assert "- person Bob is shut out" in await hall.say("/bar person @Bob")
    assert await hall.say("/song", BOB) == await hall.say("/song", BOB, ATTIC) == ""
    assert "Nothing is shut out." in await hall.press("person Bob")
    assert await hall.say("/song", BOB) == "La la la."
    await hall.say("/bar plugin singer")
    assert await hall.say("/song", BOB, ATTIC) == "singer is switched off by whoever runs this bot."
    await hall.say("/bar server room/attic")
    assert await hall.say("/help", BOB, ATTIC) == ""


async def test_what_the_menu_of_house_has_no_room_for_is_let_in_again_by_bar(hall: Hall) -> None:
    await hall.own()
    for number in range(26):
        order = Order(kind="person", name=f"room/{number}", word=f"No. {number}")
        await hall.house.bar(order, Deed(1.0, "", "the operator", "", "", ()))
    assert "The menu has the first 25 of what is shut out: `/bar` alone has the others, too." in await hall.say("/house")
    with pytest.raises(AssertionError, match="no button"):
        await hall.press("person No. 25")
    assert "- person No. 25 is shut out" in await hall.say("/bar")
    assert "No. 25" not in await hall.press("person No. 25")
    assert "The menu has" not in await hall.say("/house")
    for number in range(25):
        await hall.house.bar(Order(kind="person", name=f"room/{number}", barred=False), Deed(1.0, "", "the operator", "", "", ()))
    assert "Nothing is shut out. Say `/bar plugin NAME`" in await hall.say("/bar")


async def test_a_model_that_is_stopped_gets_nothing_new_and_what_it_has_is_cancelled(hall: Hall) -> None:
    await hall.own()
    offer = Offer("parrot", ["say", "say:parrot"])
    shift = Shift(hall.rooms._redis, hall.rooms._keys, "worker", [offer])
    await shift.renew()
    await hall.post("/hum", BOB)
    await wait_until(lambda: hall.router.runner.held)
    await hall.post("/bar model parrot")
    await hall.quiet()
    assert "Cancelled." in [message.text for message in await hall.shown()]
    assert await hall.say("/hum", BOB) == "parrot is stopped by whoever runs this bot."
    await shift.sign_off()
