"""What the bot says in a server that has just let it in: how to begin, and who decides. Where it says that: its connector."""

from __future__ import annotations

from bot.membership import Joined
from bot.messages import Address
from bot.router.gate import View
from bot.router.table import Table
from bot.translation import later, tr, translated

HELLO = later("Hello. Mention me, reply to me or write to me alone, and I answer.")

PANELS = ("plugins", "settings")
"""Commands with which admins choose, where a plugin brings them."""

MOST = 10
"""Commands that are named."""


def welcome(joined: Joined, table: Table, view: View, address: Address) -> str:
    """The words: a hello in a server that is new, and what the platform has to say."""
    return " ".join(part for part in (hello(table, view, address) if joined.new else "", joined.note) if part)


def hello(table: Table, view: View, address: Address) -> str:
    """How to begin, and who decides."""
    names = [name for name, entry in sorted(table.commands.items()) if view.allows(entry.plugin, address)]
    shown = [f"/{name}" for name in names if name not in PANELS]
    rest = ", …" if len(shown) > MOST else ""
    offers = [tr("I also know {commands}.", commands=f"{', '.join(shown[:MOST])}{rest}")] if shown else []
    panels = [f"/{name}" for name in PANELS if name in names]
    decide = tr("Admins of this server decide what I do here.")
    if panels:
        decide = tr("Admins of this server decide with {panels} what I do here.", panels=tr(" and ").join(panels))
    return " ".join([translated(HELLO), *offers, decide])
