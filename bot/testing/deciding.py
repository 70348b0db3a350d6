"""What owners decide, in memory, for handlers that are called without a router. The other acts: `ScriptedActs`."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.house import Admission, Door, Order, Policy, Rules


@dataclass
class ScriptedHouse:
    """What stands behind `ctx.house`, unchecked: whoever asks is an owner."""

    ordered: Rules = field(default_factory=Rules)
    """What was shut out everywhere."""
    admitting: Admission = field(default_factory=lambda: Admission(policies={"servers": "approve", "direct": "approve"}))
    """Who may use the bot, and who waits."""

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
