"""What admins of a server do, on Discord, on Telegram and in a room of our own, from the first panel to what must not happen."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bot.plugins import Loaded, Plugins
from bot.router import app, publishing
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import LEASE
from bot.testing import wait_until
from bot.testing.calling import CALLER, Caller
from tests.plugins.admin import hall
from tests.plugins.admin.probe import Probe, Ran, loaded
from tests.plugins.admin.town import Corner, OnDiscord, Town, town

OFF = "{plugin} is switched off here. An admin of this server can switch it on."
REFUSED = "Only the admins of this server can change its settings, and you are a member here. Ask one of them."
PROBE = Probe.__name__.lower()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """One town for all tests, each of which founds a server of its own."""

    def plugins() -> Plugins:
        return Plugins([*hall.plugins().loaded.values(), loaded(Probe()), Loaded(CALLER, Caller(), version="1")])

    redis, keys = connect(redis_url), Keys(f"test-{uuid.uuid4().hex[:12]}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "SETTLED", 0.05)
        patch.setattr(app, "ROUNDS", app.ROUNDS * 20)  # as often as with a short lease, which a machine that stands still would lose
        async with town(redis, keys, tmp_path_factory.mktemp("town"), plugins, lease=LEASE * 20) as made:
            yield made
    await redis.delete(*[key async for key in redis.scan_iter(f"{keys.prefix}:*", count=1000)])
    await redis.aclose()


@pytest_asyncio.fixture(loop_scope="module", params=["discord", "telegram", "room"])
async def corner(there: Town, request: pytest.FixtureRequest) -> Corner:
    return await there.corner(request.param)


def plain(text: str) -> str:
    """Without marks, which Telegram has beside the text, and with its own dots."""
    return text.replace("**", "").replace("`", "").replace("• ", "- ")


def probed(there: Town, corner: Corner) -> list[Ran]:
    """What of the probe ran there since this was last asked."""
    probe = there.routers[0].runner._plugins.loaded[PROBE].plugin
    assert isinstance(probe, Probe)
    return probe.ran.pop(corner.tenant, [])


async def chosen(corner: Corner) -> Server:
    return await Servers(corner.town.redis, corner.town.keys).get(corner.tenant)


async def tries(corner: Corner) -> list[str]:
    """Ben tries everything that the probe has; what of it ran."""
    there = corner.town
    await corner.say("hear")
    await corner.do(PROBE, "Ben")
    await corner.press("Press probe", "Ben")
    if corner.reacts:
        await corner.clap()
    if isinstance(corner, OnDiscord):
        await corner.complete("probe_word", "word", "w")
    await corner.do(CALLER, "Ben", tool=PROBE, arguments="{}")
    ids = cast("list[bytes]", await there.redis.zrange(there.keys.firings_due(), 0, -1))
    await there.redis.zadd(there.keys.firings_due(), dict.fromkeys(ids, 0.0))
    await wait_until(lambda: _none(there))
    await there.settled(corner.tenant)
    return [what for _, what, _ in probed(there, corner)]


async def _none(there: Town) -> bool:
    return not await there.redis.hlen(there.keys.firings())


async def test_a_switch_holds_at_once_for_everything_that_a_plugin_has(corner: Corner) -> None:
    everything = ["hear", "call", "press", *["clap"] * corner.reacts, *["complete"] * isinstance(corner, OnDiscord), "tool", "due"]
    await corner.do("probe_later", "Ben")
    assert await tries(corner) == everything
    await corner.do("probe_later", "Ben")
    assert "- probe is on. Probes." in plain(await corner.do("plugins"))
    assert "probe is off (by this server)" in plain(await corner.press("Switch probe off"))
    assert OFF.format(plugin=PROBE) in await corner.do(PROBE, "Ben")
    assert OFF.format(plugin=PROBE) in await corner.press("Press probe", "Ben")
    assert await tries(corner) == []
    await corner.press("Switch probe on")
    await corner.do("probe_later", "Ben")
    assert await tries(corner) == everything


async def test_a_place_has_choices_of_its_own(corner: Corner) -> None:
    where = {"discord": "channel", "telegram": "thread"}.get(corner.tenant.partition("/")[0], "server")
    await corner.do("plugins", side=True, plugin="singer", switch="off", where=where)
    await corner.do("settings", side=True, plugin=PROBE, setting="number", value="7", where=where)
    await corner.do("permissions", side=True, do="deny", what="probe_later", who="member", where=where)
    await corner.do("permissions", side=True, do="deny", what="/probe_later", who="member", where=where)
    assert await corner.do("song", "Ben", side=True) == OFF.format(plugin="singer")
    assert "You may not use /probe_later here." in await corner.do("probe_later", "Ben", side=True)
    await corner.do(PROBE, "Ben", side=True)
    if corner.sides:
        assert "La la la." in await corner.do("song", "Ben")
        await corner.do(PROBE, "Ben")
    assert probed(corner.town, corner) == [(PROBE, "call", 7), *[(PROBE, "call", 0)] * corner.sides]


async def test_a_form_is_filled_in_and_two_admins_at_once_see_one_another(corner: Corner) -> None:
    await corner.do("settings", plugin="singer")
    await corner.press("Loudness")
    asked = await corner.open("Change")
    assert "Loudness: input should be less than or equal to 11." in await corner.fill(asked, "12")
    assert "Saved." in await corner.fill(await corner.open("Change"), "7")
    assert await corner.say("sing") == "calm 7 happy together"
    await corner.do("settings", "Eve", plugin="singer", setting="solo")
    await corner.do("settings", "Ada", plugin="singer", setting="loud", value="5")
    told = await corner.press("Yes", "Eve")
    assert "Ada has changed singer meanwhile (loud: 7 → 5). Nothing was saved: look at it as it is now, and confirm." in told
    assert await corner.say("sing") == "calm 5 happy together"
    await corner.press("Save it all the same", "Eve")
    assert await corner.say("sing") == "calm 5 happy alone"
    log = plain(await corner.do("audit")).splitlines()
    assert [entry for line in log if (entry := line.partition(" UTC, ")[2])] == [
        "Eve: singer, solo: not chosen → true",
        "Ada: singer, loud: 7 → 5",
        "Ada: singer, loud: not chosen → 7",
    ]


async def test_an_admin_who_is_demoted_in_mid_form_is_refused(corner: Corner) -> None:
    await corner.do("settings", plugin="singer", setting="loud")
    asked = await corner.open("Change")
    await corner.demote("Ada")
    assert (await corner.fill(asked, "7")).endswith(REFUSED)
    assert (await chosen(corner)).choices == Choices()


async def test_nothing_is_stored_for_a_server_that_the_bot_was_taken_out_of_in_mid_change(corner: Corner) -> None:
    if corner.tenant.startswith("room/"):
        return  # nobody takes it out of a room of its own
    await corner.do("settings", plugin="singer", setting="solo")
    await corner.remove()
    await corner.press("Yes")
    after = await chosen(corner)
    assert (after.left, after.choices, after.channels) == (True, Choices(), {})
    assert await Servers(corner.town.redis, corner.town.keys).deeds(corner.tenant, 1) == []


async def test_what_was_chosen_for_a_plugin_that_is_not_installed_any_more_is_kept_and_shown(corner: Corner) -> None:
    servers = Servers(corner.town.redis, corner.town.keys)
    kept = Choices(plugins={"choir": True}, settings={"choir": {"voices": 4}})
    await servers.put(corner.tenant, Server(choices=kept))
    assert "choir is not installed any more. What was chosen for it is kept." in plain(await corner.do("plugins"))
    assert "- voices: 4 (by this server)" in plain(await corner.do("settings", plugin="choir"))
    await corner.do("settings", plugin="singer", setting="loud", value="5")
    assert (await chosen(corner)).choices.settings == {"choir": {"voices": 4}, "singer": {"loud": 5}}


async def test_a_forged_button_is_refused_and_written_down_once(corner: Corner) -> None:
    await corner.do("song", "Ben")
    with capture_logs() as logs:
        told = [await corner.forge() for _ in range(2)]
    assert told[0] == "This button is too old to work."
    assert [line["server"] for line in logs if line["event"] == "a click that no button made"] == [corner.tenant] * 2
    written = "Ben: pressed a button that I do not know: it is forged, or nobody pressed it for 30 days"
    assert plain(await corner.do("audit")).count(written) == 1


async def test_a_command_of_a_client_that_is_behind_is_gone(corner: Corner) -> None:
    gone = {"discord": "The command /waltz is gone. Your app forgets it when it is started anew."}
    told = gone.get(corner.tenant.partition("/")[0], "There is no command /waltz here. There is /about, ")
    assert (await corner.do("waltz", "Ben")).startswith(told)


async def test_changes_are_told_where_the_admins_want_it(corner: Corner) -> None:
    assert "Saved." in await corner.do("settings", side=True, plugin="hobnob", setting="log", value="here")
    await corner.do("permissions", do="deny", what="/song", who="guest")

    async def told() -> bool:
        texts = (await corner.shown()).values()
        return "Ada: every guest may not use /song" in texts and any("Ada: hobnob, log: not chosen → " in text for text in texts)

    await wait_until(told)
    elsewhere = plain(await corner.do("settings", plugin="hobnob", setting="log", value="123456789"))
    assert elsewhere.startswith("I know no channel “123456789” here. Say here in the channel or thread that you mean")


async def test_channels_roles_and_people_are_picked_from_all_that_there_are(corner: Corner) -> None:
    await corner.say("something", side=True)
    await corner.do("settings", plugin="hobnob", setting="log")
    asked = await corner.open("Change")
    assert "Saved." in await corner.fill(asked, corner.pickable("side" if corner.sides else corner.address(False).server))
    assert (await chosen(corner)).choices.log == corner.address(corner.sides).place
    assert f"Log: {'side' if corner.sides else corner.address(False).server}" in plain(await corner.do("settings", plugin="hobnob"))
    await corner.do("permissions")
    told = await corner.fill(await corner.open("Make somebody something"), who=corner.pickable("Ben"), level="guest")
    assert "Ben is guest here" in plain(told)
    role = {"discord": "Singers", "telegram": "Member"}.get(corner.tenant.partition("/")[0], "")
    asked = await corner.open("Allow or deny something")
    place = {"place": corner.pickable("side")} if corner.sides else {}
    told = await corner.fill(asked, who=corner.pickable(role) if role else "", what="/song", may="no", **place)
    assert f"{role or 'everyone'} may not use /song, in {'side' if corner.sides else 'this server'}" in plain(told)
    assert "You may not use /song here." in await corner.do("song", "Ben", side=True)
    assert not corner.sides or "La la la." in await corner.do("song", "Ben")
