"""`/dashboard`: a link to the page of a server, for its admins. What is on it is the core's; in chats that is `switches.py`, `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from bot import Command, Context, NoArgs, Reply, Route, tr

HERE = ("127.0.0.1", "::1", "localhost")


def routes() -> Iterable[Route]:
    """The command."""
    return [Command("dashboard", "Open the page of this server in a browser.", NoArgs, dashboard, least="admin")]


async def dashboard(ctx: Context, args: NoArgs) -> Reply:
    """For the person alone."""
    link = await ctx.choices.link()
    said = tr(
        "The page of this server, for you alone: {link}\nThe link works once, for ten minutes, and you stay in for two hours.", link=link
    )
    if urlsplit(link).hostname in HERE:
        said += "\n" + tr("It opens on the machine that I run on. Whoever runs me can change that, with `web.address`.")
    return Reply(said, private=True)
