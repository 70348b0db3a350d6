"""`/help`, `/about`, `/audit` and `/remove`: what people may do here, what answers them, and what admins and moderators look after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby

from bot import Catalogue, Command, Context, Deed, NoArgs, Reply, Route, UserError, later, tr, translated

MACHINE = later("I am a program. What I say, draw and write down is made by models and can be wrong; please check what matters.")

HERE = later("Everything runs on the machines of whoever runs me, unless they have said otherwise.")

MOST = 20
"""Entries of the log that are shown."""


class Telling:
    """Knows the catalogue, which has the licences of models."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def routes(self) -> Iterable[Route]:
        """The commands."""
        return [
            Command("help", "See what you may do here.", NoArgs, self.help),
            Command("about", "See which models answer here, and their licences.", NoArgs, self.about),
            Command("audit", "See what admins have changed in this server.", NoArgs, self.audit, least="admin"),
            Command("remove", "Remove what I said: use it in a reply to that.", NoArgs, self.remove, least="moderator"),
        ]

    async def help(self, ctx: Context, args: NoArgs) -> Reply:
        """Exactly what this person may do here."""
        lines = [tr("Mention me, reply to me, or write to me alone, and I answer.")]
        for plugin, commands in groupby(await ctx.commands(), key=lambda one: one.plugin):
            lines.append(f"**{plugin}**")
            for one in commands:
                example = f" {tr('For example: {example}', example=f'`{one.example}`')}" if one.example else ""
                lines.append(f"- `/{one.name}{f' {one.usage}' if one.usage else ''}` {one.description}{example}")
        return Reply("\n".join(lines), private=True)

    async def about(self, ctx: Context, args: NoArgs) -> Reply:
        """The models that are served now, with what their licences ask to be shown."""
        lines = [translated(MACHINE), translated(HERE)]
        for name in await ctx.models():
            entry = self._catalogue.models.get(name)
            if entry is None:
                lines.append(f"- **{name}**")
                continue
            licence = self._catalogue.licence(entry)
            notice = " Built with Llama." if any("Built with Llama" in duty for duty in licence.duties) else ""  # as its licence has it
            lines.append(f"- **{name}**: {entry.summary.rstrip('.')}. {tr('Licence: {licence}.', licence=licence.name)}{notice}")
        return Reply("\n".join(lines) if lines[2:] else "\n".join([*lines, tr("No model is at work right now.")]))

    async def audit(self, ctx: Context, args: NoArgs) -> Reply:
        """The newest entries of the log."""
        found = await ctx.choices.deeds(MOST)
        lines = [f"- {entry(one)}" for one in found]
        return Reply(
            "\n".join([f"**{tr('What admins changed here')}**", *lines]) if lines else tr("Nobody has changed anything here."), private=True
        )

    async def remove(self, ctx: Context, args: NoArgs) -> Reply:
        """Takes a message of the bot away."""
        about = ctx.message.reply_to
        if about is None or about.sender.id != ctx.message.me:
            raise UserError(tr("Use this in a reply to what I said."))
        await ctx.remove()
        return Reply(tr("Removed."), private=True)


def entry(deed: Deed) -> str:
    """An entry of a log, with its time."""
    return f"{datetime.fromtimestamp(deed.at, UTC):%Y-%m-%d %H:%M} UTC, {deed.line}"
