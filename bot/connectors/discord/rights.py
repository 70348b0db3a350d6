"""What Discord withholds from a bot in a channel, and the click that changes it. What the application may do at all: `access.py`."""

from __future__ import annotations

from collections.abc import Iterator

import discord

from bot.connector import Need
from bot.translation import later, translated

DEAF = later(
    "Discord shows me only what is said to me here: commands, mentions of me, replies to me. So I cannot write down every voice note, hear "
    "a wake word or follow what people talk about. Who owns me changes it everywhere: in the developer portal "
    "(https://discord.com/developers/applications), my application, Bot, Message Content Intent; then I have to be started again."
)

SHUT = later(
    "Discord keeps what happens in this channel from me. An admin changes that in the settings of this channel, Permissions, for my role: "
    "{permissions}."
)


def withheld(need: Need, granted: discord.Permissions | None, *, reads_content: bool) -> str | None:
    """What the bot does not get in a channel, in words for its people; what it is `granted` there is None where nobody knows."""
    found = []
    if granted is not None and (lacking := ", ".join(_lacking(need, granted))):
        found.append(translated(SHUT, permissions=lacking))
    if need == "every_message" and not reads_content:
        found.append(translated(DEAF))
    return "\n".join(found) or None


def _lacking(need: Need, granted: discord.Permissions) -> Iterator[str]:
    """Of a reaction Discord tells where it is, and what it is on has to be asked for. Who may not see a channel may nothing there."""
    if not granted.view_channel:
        yield "View Channel"
    elif need == "reactions" and not granted.read_message_history:
        yield "Read Message History"
