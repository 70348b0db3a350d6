"""What holds where a server has chosen nothing, as the operator says it in `bot.toml`. What servers choose: `gate.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.allowing import Allowed
from bot.choices import Level
from bot.house import Policy, Rules
from bot.messages import Address
from bot.tables import TalkingTable


@dataclass(frozen=True, slots=True)
class Terms:
    """The operator's side of every server's choices.

    `least` is what commands take that not everybody may use, `private` has the connectors that only those reach whom the operator has
    let in.
    """

    quiet: bool = False
    talking: TalkingTable = field(default_factory=TalkingTable)
    least: Mapping[str, Level] = field(default_factory=dict)
    allowed: Allowed = field(default_factory=Allowed)
    private: frozenset[str] = frozenset()

    def policy(self, rules: Rules, address: Address) -> Policy:
        """What holds at this door."""
        if address.connector in self.private:
            return "open"
        return self.allowed.admission.holding(rules)["direct" if address.direct else "servers"]
