"""What Telegram withholds from a bot in a group, and the click that changes it. What stands in a group: `facts.py`."""

from __future__ import annotations

from bot.connector import Need
from bot.translation import later, translated

ADMINISTRATOR = later(
    "An administrator of this group changes that by making me one too: tap the group's name, Edit, Administrators, Add Admin."
)

DEAF = later(
    "Telegram shows me only what is said to me here: commands, mentions of me, replies to me (privacy mode). So I cannot write down every "
    "voice note, hear a wake word or follow what people talk about. {administrator} Who owns me changes it everywhere: @BotFather, "
    "/setprivacy, Disable; then take me out of the group and add me again."
)

BLIND = later("Telegram tells me of reactions only where I am an administrator. {administrator}")


def withheld(need: Need, *, hears: bool, administers: bool) -> str | None:
    """What a bot in a group does not get, in words for its people; it `hears` everything by its owner's choice, or `administers` there."""
    if administers:
        return None
    match need:
        case "every_message":
            return None if hears else translated(DEAF, administrator=translated(ADMINISTRATOR))
        case "reactions":
            return translated(BLIND, administrator=translated(ADMINISTRATOR))
