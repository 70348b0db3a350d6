"""What owners decide for all servers, and how somebody becomes one. What a server's own admins decide: `choosing.py`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from bot.choices import Deed
from bot.errors import Busy, Refused, Unavailable
from bot.house import Door, Order, Owner, Policy, Rules, at_door
from bot.messages import Message
from bot.router.gate import Gate
from bot.router.working import Work
from bot.store.house import HouseRules
from bot.store.tickets import Body, StaleSettings, Write
from bot.translation import Phrase, later, tr

TRIES = 20

Keep = Callable[[bytes, Sequence[Write]], Awaitable[bytes]]
"""Journals a value together with its writes. Raises StaleSettings when these are based on rules of the past."""


class Ruling:
    """Reads the rules anew, and changes them for owners."""

    def __init__(self, house: HouseRules, gate: Gate, work: Work) -> None:
        self._house = house
        self._gate = gate
        self._work = work

    async def claim(self, message: Message, code: str, keep: Keep, admitting: Sequence[Write]) -> None:
        """Who says the code is an owner from now on, and the bot works where that was said; the code is used up in the same instant."""
        owner = Owner(name=message.sender.name, address=message.address)
        for _ in range(TRIES):
            if not await self._house.offered(code):
                raise Refused(
                    tr("This code is not known, used up, or older than a day. Whoever runs me gets a new one with `hobnob claim`.")
                )
            rules = await self._house.get()
            changed = rules.model_copy(update={"owners": {**rules.owners, owner_id(message): owner}})
            writes = [
                *self._house.changing(changed, _deed(message, Phrase(later("became an owner")))),
                *self._house.redeeming(code),
                *admitting,
            ]
            if await self._kept(keep, changed, writes, message):
                return
        raise Busy(tr("Too many people claim me at once. Please try again in a moment."))

    async def rules(self, message: Message) -> Rules:
        """What holds."""
        rules = await self._house.get()
        if owner_id(message) not in rules.owners:
            raise Refused(tr("Only an owner of this bot can do that: whoever runs it and has said `/claim` with the code that it printed."))
        return rules

    async def deeds(self, message: Message, most: int) -> list[Deed]:
        """The newest entries of the owners' log."""
        await self.rules(message)
        return await self._house.deeds(most)

    async def order(self, message: Message, order: Order, keep: Keep) -> Rules:
        """Shuts something out, or lets it in again."""
        if order.barred and (order.kind, order.name) == ("person", owner_id(message)):
            raise Refused(tr("You cannot ban yourself."))
        return await self._change(message, order.applied, order.said, keep)

    async def open(self, message: Message, door: Door, policy: Policy, keep: Keep) -> Rules:
        """Changes who may use the bot that did not before."""

        def edit(rules: Rules) -> Rules:
            return rules.model_copy(update={"policies": {**rules.policies, door: policy}})

        return await self._change(message, edit, at_door(door, policy), keep)

    async def _change(self, message: Message, edit: Callable[[Rules], Rules], what: Phrase, keep: Keep) -> Rules:
        for _ in range(TRIES):
            changed = edit(await self.rules(message))
            if await self._kept(keep, changed, self._house.changing(changed, _deed(message, what)), message):
                return changed
        raise Busy(tr("Too many owners decide at once. Please try again in a moment."))

    def noting(self, message: Message, what: Phrase) -> list[Write]:
        """The writes that say in the owners' log what the sender did."""
        return self._house.noting(_deed(message, what))

    async def end_work(self, order: Order) -> None:
        """Cancels what is being worked on for what is shut out now; a second time there is nothing left."""
        if not order.barred:
            return
        for id, body in (await self._work.under_way("")).items():
            if await self._concerns(order, id, body):
                await self._work.cancel(id)

    async def _concerns(self, order: Order, id: str, body: Body) -> bool:
        address = body.message.address
        match order.kind:
            case "plugin":
                return body.plugin == order.name
            case "person":
                return f"{address.connector}/{body.message.sender.id}" == order.name
            case "server":
                return address.tenant == order.name
            case "model":
                return order.name in await self._work.models(id)

    async def runnable(self, message: Message, kind: str, model: str | None) -> str | None:
        """The model that a job may run on: the one it names, or one that serves its kind where some are stopped. Raises Unavailable."""
        view = await self._gate.view(message.address)
        if not view.stops_models:
            return model
        serving = [model] if model else await self._work.serving(kind)
        left = [one for one in serving if not view.stopped(one)]
        if serving and not left:
            raise Unavailable(_stopped(serving))
        return model if model or len(left) == len(serving) else left[0]

    async def _kept(self, keep: Keep, changed: Rules, writes: Sequence[Write], message: Message) -> bool:
        try:
            await keep(changed.model_dump_json().encode(), writes)
        except StaleSettings:
            return False
        self._gate.forget(message.address)
        return True


def owner_id(message: Message) -> str:
    """The sender, as rules name people."""
    return f"{message.address.connector}/{message.sender.id}"


def _deed(message: Message, what: Phrase) -> Deed:
    return Deed(time.time(), message.sender.id, message.sender.name, "", "", (what,))


def _stopped(models: Sequence[str]) -> str:
    named = tr(" and ").join(models)
    if len(models) == 1:
        return tr("{models} is stopped by whoever runs this bot.", models=named)
    return tr("{models} are stopped by whoever runs this bot.", models=named)
