"""What owners and admins decide, in memory, for handlers that are called without a router. The other acts: `ScriptedActs`."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.choices import Deed
from bot.errors import BadArguments
from bot.forms import Picked
from bot.house import Admission, Door, Order, Policy, Rules
from bot.quotas import Quota, Usage
from bot.traces import Trace


@dataclass
class ScriptedHouse:
    """What stands behind `ctx.house` and `ctx.quotas`, unchecked: whoever asks may."""

    ordered: Rules = field(default_factory=Rules)
    """What was shut out everywhere."""
    admitting: Admission = field(default_factory=lambda: Admission(policies={"servers": "approve", "direct": "approve"}))
    """Who may use the bot, and who waits."""

    there: dict[str, dict[str, str]] = field(default_factory=dict)
    """What the server has, names by id, by kind."""

    async def find(self, kind: Picked, said: str) -> tuple[str, str]:
        """What `there` has by this id or name. Raises BadArguments."""
        for id, name in self.there.get(kind, {}).items():
            if said in (id, name):
                return id, name
        raise BadArguments(f"I know no {kind} {said} here.")

    used: list[Usage] = field(default_factory=list)
    """What the sender has used."""
    limited: list[Quota] = field(default_factory=list)
    """How much may be used."""

    remembering: bool = True
    """Whether the sender is remembered."""

    async def wants_memory(self) -> bool:
        """What `remembering` says."""
        return self.remembering

    async def want_memory(self, wanted: bool) -> None:
        """Keeps it in `remembering`."""
        self.remembering = wanted

    traced: dict[str, Trace] = field(default_factory=dict)
    """Paths of messages by their ids, "" for the last."""

    async def trace(self, message: str) -> Trace | None:
        """What `traced` has."""
        return self.traced.get(message)

    async def usage(self) -> list[Usage]:
        """What `used` has."""
        return self.used

    async def quotas(self) -> list[Quota]:
        """What `limited` has."""
        return self.limited

    async def limit(self, quota: Quota) -> list[Quota]:
        """Keeps it in `limited`."""
        self.limited = [one for one in self.limited if (one.whose, one.measure) != (quota.whose, quota.measure)] + [quota] * bool(
            quota.rates
        )
        return self.limited

    async def claim(self, code: str) -> None:
        """Any code will do."""

    async def rules(self) -> Rules:
        """What `ordered` has made of none."""
        return self.ordered

    async def order(self, order: Order) -> Rules:
        """Keeps it in `ordered`."""
        those = {name: word for name, word in self.ordered.barred.get(order.kind, {}).items() if name != order.name}
        those |= {order.name: order.word} if order.barred else {}
        self.ordered = self.ordered.model_copy(update={"barred": {**self.ordered.barred, order.kind: those}})
        return self.ordered

    async def decisions(self, most: int) -> list[Deed]:
        """None."""
        return []

    async def admission(self) -> Admission:
        """What `admitting` has."""
        return self.admitting

    async def open(self, door: Door, policy: Policy) -> Admission:
        """Keeps it in `admitting`."""
        self.admitting = self.admitting.model_copy(update={"policies": {**self.admitting.policies, door: policy}})
        return self.admitting

    async def admit(self, server: str, admitted: bool) -> Admission:
        """Nobody of that name waits any more."""
        left = tuple(one for one in self.admitting.waiting if one.address.tenant != server)
        self.admitting = self.admitting.model_copy(update={"waiting": left})
        return self.admitting
