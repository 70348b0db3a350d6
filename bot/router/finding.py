"""Finds the routes that take a message. Whether they may, and what becomes of it: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from bot.errors import BadArguments, Refused
from bot.forms import Form, Picked
from bot.membership import Joined, Left, Moved, Present
from bot.messages import Called, Clicked, Deleted, Fired, Message, Reacted, Said, Typing
from bot.router.arguments import parse, quoted, shorten
from bot.router.clicking import StatusButtons
from bot.router.filling import given
from bot.router.forgeries import Forged, Forgeries, not_offered, unknown
from bot.router.matching import Match, Unmatched, payload, wants
from bot.router.picking import Picking, kinds_of, picked_of
from bot.router.table import Table
from bot.routes import Action, Command, Schedule
from bot.store.plugindata import PluginData
from bot.store.schedules import KEPT, Firing, Schedules
from bot.translation import tr

UPDATING = 600.0
"""Seconds that a firing waits for a router of the version that wrote it. Then its chat is told that the plugin has changed, which is
more likely by then than that an update is still under way.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a router cannot run a firing, and for how many seconds after its time another one may be able to."""

    why: str
    kept: float


class Finder:
    """Knows all routes, and what is behind buttons and firings."""

    def __init__(
        self, table: Table, buttons: StatusButtons, data: PluginData, schedules: Schedules, forgeries: Forgeries, picking: Picking
    ) -> None:
        self._table = table
        self._forgeries = forgeries
        self._buttons = buttons
        self._data = data
        self._schedules = schedules
        self._picking = picking

    async def matches(self, message: Message) -> list[Match]:
        """All that take it. Raises Unmatched where a person named what is not there."""
        match message.trigger:
            case Said():
                return [Match(entry) for entry in self._table.listeners if wants(entry, message)]
            case Called() as called:
                return [] if self._means_another(called, message) else [await self._command(called, message)]
            case Clicked() as clicked:
                try:
                    return await self._clicked(clicked, message)
                except Forged as forged:
                    await self._forgeries.note(message, forged)
                    raise
            case Reacted(emoji=emoji):
                return [Match(entry) for entry in self._table.reactions.get(emoji, [])]
            case Fired(schedule=schedule):
                return await self._fired(schedule)
            case Deleted() | Moved() | Joined() | Left() | Present() | Typing():
                return []

    def _means_another(self, called: Called, message: Message) -> bool:
        """Whether the command is another bot's: one that we do not have, typed where others read along and not to us."""
        return called.shared and not message.addressed and called.command not in self._table.commands

    async def _command(self, called: Called, message: Message) -> Match:
        """One that a platform lists was there, and somebody's app has not heard that it is gone."""
        entry, name = self._table.commands.get(called.command), shorten(called.command)
        if entry is None and message.via:
            raise Unmatched(tr("The command /{command} is gone. Your app forgets it when it is started anew.", command=name))
        if entry is None:
            raise Unmatched(tr("There is no command /{command} here.", command=name))
        assert isinstance(entry.route, Command)
        try:
            given = quoted(entry.route.args, {**parse(entry.route.args, called.text), **called.options}, message)
            if picked := picked_of(entry.route.args):
                given = await self._picking.picked(picked, given, message)
        except BadArguments as error:
            raise Unmatched(str(error)) from None
        return Match(entry, given, asked=True)

    async def _clicked(self, clicked: Clicked, message: Message) -> list[Match]:
        try:
            if await self._buttons.press(clicked.button, message):
                return []
        except Refused as error:
            raise Unmatched(str(error)) from None
        id, _, nth = clicked.button.partition(".")
        pressed = await self._data.button(id)
        if pressed is None:
            raise unknown()
        entry = self._table.find(pressed.plugin, f"action:{pressed.action}")
        if entry is None or not isinstance(entry.route, Action):
            raise Unmatched(tr("What this button did is no longer there."))
        if isinstance(pressed.asks, Form) and clicked.filled is None:
            return [Match(entry, asked=True, form=pressed.asks)]
        if isinstance(pressed.asks, Form) and (picked := kinds_of(pressed.asks.inputs)):
            clicked = await self._named(clicked, picked, message)
        if pressed.asks is not None:
            return [Match(entry, given(pressed, clicked, nth), asked=True, filled=True)]
        if nth or clicked.chosen or clicked.filled:
            raise not_offered()
        return [Match(entry, payload(entry.route.payload, pressed.payload), asked=True)]

    async def _named(self, clicked: Clicked, picked: Mapping[str, Picked], message: Message) -> Clicked:
        """With ids in the place of names."""
        try:
            return replace(clicked, filled=await self._picking.picked(picked, clicked.filled or {}, message))
        except BadArguments as error:
            raise Unmatched(str(error)) from None

    def lacks(self, firing: Firing) -> Lack | None:
        """Why this router cannot run it; None when it can."""
        entry = self._table.find(firing.plugin, f"schedule:{firing.name}")
        if entry is None or not isinstance(entry.route, Schedule):
            return Lack(f"{firing.plugin} has no schedule {firing.name!r} here", KEPT)
        try:
            payload(entry.route.payload, firing.payload)
        except Unmatched:
            return Lack(f"{firing.plugin} is of another version here", UPDATING)
        return None

    async def _fired(self, schedule: str) -> list[Match]:
        firing = await self._schedules.find(schedule)
        if firing is None:  # taken back just now
            return []
        entry = self._table.find(firing.plugin, f"schedule:{firing.name}")
        if entry is None or not isinstance(entry.route, Schedule):
            log.error("a firing that nobody understands is forgotten", id=schedule, plugin=firing.plugin, schedule=firing.name)
            return []
        return [Match(entry, payload(entry.route.payload, firing.payload))]
