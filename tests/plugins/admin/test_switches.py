"""The panel of plugins, in a room: who sees what, and what a switch does to everything that a plugin has."""

from __future__ import annotations

import pytest

from bot.choices import Change, Chosen
from bot.errors import Refused
from bot.forms import Select
from bot.messages import Address, Message
from bot.testing import wait_until
from plugins.admin.switches import _switches
from tests.plugins.admin.hall import ANN, ATTIC, BOB, HALL, Hall

PANEL = "**Plugins, for this server**\n- **admin** is on. Rules.\n- **singer** is {singer}. Sings.\n- **drum** is {drum}. Drums."


async def test_everybody_sees_the_panel_and_admins_have_its_buttons(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/plugins", BOB) == PANEL.format(singer="on", drum="off")
    assert await hall.labels() == []
    await hall.say("/plugins", ANN)
    assert await hall.labels() == ["Switch singer off", "Switch drum on"]


async def test_a_switch_holds_at_once_for_everything_a_plugin_has_and_for_this_server_alone(hall: Hall) -> None:
    await hall.own()
    assert await hall.say("/song") == "La la la."
    await hall.say("/plugins")
    assert await hall.press("Switch singer off") == PANEL.format(singer="off (by this server)", drum="off")
    assert await hall.say("sing") == ""
    off = "singer is switched off here. An admin of this server can switch it on."
    assert await hall.say("/song") == off
    assert await hall.press("Encore", BOB) == off
    assert await hall.say("sing", place=ATTIC) == "calm 3 happy together"
    assert await hall.press("Switch singer on") == PANEL.format(singer="on (by this server)", drum="off")
    assert await hall.press("Encore", BOB) == "La la la."


async def test_who_may_not_switch_is_told_why_and_nobody_else_sees_it(hall: Hall) -> None:
    await hall.own()
    await hall.say("/plugins")
    told = "Only the admins of this server can change its settings, and you are a member here. Ask one of them."
    assert await hall.press("Switch singer off", BOB) == told
    assert (await hall.shown())[-1].body.only == BOB.id
    assert await hall.say("sing") == "calm 3 happy together"


async def test_two_admins_at_once_and_the_second_sees_what_the_first_has_done(hall: Hall) -> None:
    await hall.own()
    await hall.own(BOB)
    await hall.say("/plugins", ANN)
    first = (await hall.shown())[-1]
    await hall.say("/plugins", BOB)
    await hall.press("Switch singer off", BOB)
    await hall.rooms.click(first.place, first.id, next(key.id for key in first.body.keys if key.label == "Switch singer off"), ANN)

    async def told() -> bool:
        found = await hall.rooms.get(first.place, first.id)
        return found is not None and found.text.startswith("Bob has changed singer meanwhile (switched off). Nothing was saved")

    await wait_until(told)


@pytest.mark.parametrize(("button", "left"), [("Let them finish", 1), ("Cancel them", 0)])
async def test_requests_that_are_under_way_are_asked_about(hall: Hall, button: str, left: int) -> None:
    await hall.own()
    await hall.say("/plugins")
    await hall.post("/hum", BOB)
    await wait_until(lambda: hall.router.runner.held)
    (ticket,) = hall.router.runner.held
    await hall.press_while_busy("Switch singer off")
    assert await hall.labels() == ["Let them finish", "Cancel them"]
    await hall.press_while_busy(button)
    if not left:
        await wait_until(lambda: not hall.router.runner.held)
        assert "Cancelled." in [message.text for message in await hall.shown()]
    await wait_until(lambda: [one.id for one in hall.router.runner.held] == [ticket.id] * left)
    await hall.router.stores.queue.cancel(ticket.id)
    await wait_until(lambda: not hall.router.runner.held)


async def test_the_page_of_a_server_asks_about_them_too(hall: Hall) -> None:
    asked = Message("", "", Address("room", HALL.room, "main"), ANN)
    with pytest.raises(Refused):
        await hall.router.office.working(asked, "singer", "server")
    await hall.own()
    await hall.post("/hum", BOB)
    await wait_until(lambda: hall.router.runner.held)
    await hall.router.office.choose(asked, Change(plugin="singer", on=False))
    assert await hall.router.office.working(asked, "singer", "server") == 1
    assert await hall.router.office.stop(asked, "singer", "server") == 1
    await hall.quiet()
    assert await hall.router.office.working(asked, "singer", "server") == 0


def test_more_plugins_than_buttons_fit_stand_in_menus() -> None:
    many = [Chosen(f"plugin{n}", "", n % 2 == 0, "operator", False, (), {}, "seen") for n in range(60)]
    below = _switches(many, "server")
    assert [len(menu.choices) for menu in below if isinstance(menu, Select)] == [25, 25, 10]
    assert len(_switches(many[:15], "server")) == 15
