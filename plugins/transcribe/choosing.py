"""What people choose in the chat: an admin which notes become text there, everybody whether theirs do. What follows: `front.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot import Command, Context, Reply, Route, later, tr, translated
from plugins.transcribe.kept import Kept
from plugins.transcribe.settings import Policy

NOTICES = {
    "always": later(
        "From now on I write down the voice notes of this chat. Send /mynotes out to keep yours out; an admin can change it for all."
    ),
    "addressed": later(
        "From now on I listen to the voice notes of this chat for my name, and write down and answer those that are meant for me. "
        "Send /mynotes out to keep yours out; an admin can change it for all."
    ),
}
"""What a chat is told once, when its notes begin to be listened to unasked."""

CHOSEN = {
    "off": later("Recordings are not written down here any more."),
    "demand": later("Recordings are written down here when somebody replies to them with /transcribe, or puts ✍ on them."),
}
"""What is said of the other policies, when an admin chooses them."""


class VoiceArgs(BaseModel):
    """What `/voice` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    notes: Policy
    """`off`; on `demand`; when they are `addressed` to the bot, which then answers them too; `always`."""


class MyNotesArgs(BaseModel):
    """What `/mynotes` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    choice: Literal["out", "in"] = "out"
    """`out`: nobody has your recordings written down, here or elsewhere. `in`: they may again."""


class Choosing:
    """The commands `/voice` and `/mynotes`."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def routes(self) -> Iterable[Route]:
        """Both."""
        return [
            Command("voice", "Choose which voice notes become text here.", VoiceArgs, self.policy, example="/voice always"),
            Command("mynotes", "Keep your own recordings out, or let them in again.", MyNotesArgs, self.mine, example="/mynotes out"),
        ]

    async def policy(self, ctx: Context, args: VoiceArgs) -> Reply:
        """An admin's choice for this channel, whose people learn of it at once, with what the platform withholds that it takes."""
        chosen = await ctx.choices.save({"policy": args.notes}, "channel")
        await self._kept.first(ctx, args.notes)
        return Reply("\n\n".join((translated((NOTICES | CHOSEN)[args.notes]), *chosen.warnings)))

    async def mine(self, ctx: Context, args: MyNotesArgs) -> Reply:
        """Their own choice, wherever they are."""
        await self._kept.choose(ctx, out=args.choice == "out")
        if args.choice == "out":
            return Reply(tr("I no longer listen to your recordings, whoever asks. Send /mynotes in to let me again."), private=True)
        return Reply(tr("I may listen to your recordings again."), private=True)
