"""Posts as Discord's calls: messages of channels, answers of interactions, what a refusal means. Which of them: `connector.py`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import aiohttp
import discord

from bot.connector import Menu, Post, Upload
from bot.connectors.discord.access import BUSY, REJECTED
from bot.errors import ConnectorError, MessageGone, NotAllowed
from bot.messages import Address
from bot.translation import later, translated

ROW = 5
"""Buttons beside one another, and rows below one another."""

LONGEST = 100
"""Characters of a choice: its words, its value, and what is said of it."""

OLD_MESSAGE = 30046

FULL = (160006, 160007)
"""The codes for as many open threads as a guild may have."""

FORBIDDEN = later(
    "I may not do in {where} what I was asked for. An admin allows it in the settings of that channel, Permissions, for my role: {rights}."
)

NO_THREAD = later(
    "I cannot begin a thread in {where}: this server has as many open threads as Discord allows. "
    "I answer without one until some are closed."
)

NEEDED = "View Channel, Send Messages, Send Messages in Threads, Attach Files, Read Message History"


def files(uploads: Sequence[Upload]) -> list[discord.File]:
    """Files with their bytes; discord.py may read them several times."""
    return [
        discord.File(io.BytesIO(one.content), one.name, description=one.alt[:1024] or None, spoiler=one.spoiler)  # alt texts have a limit
        for one in uploads
    ]


def below(post: Post) -> discord.ui.View | None:
    """Menus and buttons that discord.py draws and then forgets: what they do is known by their ids alone, after a restart too."""
    if not post.keys and not post.menus:
        return None
    view = discord.ui.View(timeout=None)
    menus = post.menus[:ROW]
    for row, menu in enumerate(menus):
        view.add_item(_menu(menu, row))
    for number, key in enumerate(post.keys[: ROW * (ROW - len(menus))]):
        style = discord.ButtonStyle.secondary
        view.add_item(discord.ui.Button(style=style, label=key.label[:80], custom_id=key.id, row=len(menus) + number // ROW))
    view.stop()  # else every view that was ever sent is kept to dispatch to
    return view


def _menu(menu: Menu, row: int) -> discord.ui.Select[Any]:
    choices = [
        discord.SelectOption(
            label=one.label[:LONGEST], value=one.value[:LONGEST], description=one.description[:LONGEST] or None, default=one.chosen
        )
        for one in menu.choices
    ]
    more: dict[str, Any] = {"placeholder": menu.placeholder[:150] or None, "min_values": menu.least, "max_values": menu.most}
    return discord.ui.Select(custom_id=menu.id, options=choices, row=row, **more)


def new(post: Post) -> dict[str, Any]:
    """The arguments of a message that did not exist before."""
    made: dict[str, Any] = {"content": post.text or None, "allowed_mentions": discord.AllowedMentions.none()}
    if post.uploads:
        made["files"] = files(post.uploads)
    if (view := below(post)) is not None:
        made["view"] = view
    return made


def flags(post: Post) -> dict[str, Any]:
    """Of a message that nobody is told of."""
    return {"flags": discord.MessageFlags(suppress_notifications=True)} if post.silent else {}


def replied(channel: int, message: str) -> dict[str, Any]:
    """That it replies to a message, or, where that is gone, to none."""
    return {"type": 0, "message_id": int(message), "channel_id": channel, "fail_if_not_exists": False}


def changed(post: Post) -> dict[str, Any]:
    """The arguments of an edit: what the post does not have, the message loses."""
    made: dict[str, Any] = {"content": post.text or None, "allowed_mentions": discord.AllowedMentions.none(), "view": below(post)}
    if post.uploads or not post.busy:  # the answer takes a preview away
        made["attachments"] = files(post.uploads)
    return made


def short(nonce: str) -> str:
    """A nonce within Discord's 25 characters."""
    return blake2b(nonce.encode(), digest_size=12).hexdigest()


def _forbidden(where: str) -> str:
    return translated(FORBIDDEN, where=where, rights=NEEDED)


def _full(where: str) -> str:
    return translated(NO_THREAD, where=where)


@contextmanager
def told(where: str) -> Iterator[None]:
    """What Discord refuses, as a ConnectorError that says who must do what."""
    try:
        yield
    except discord.NotFound as error:
        raise MessageGone(f"Discord: {error.text} ({where})") from error
    except discord.Forbidden as error:
        raise NotAllowed(
            f"Discord: {error.text} ({where}). An admin there must allow the bot's role: {NEEDED}", _forbidden(where)
        ) from error
    except discord.RateLimited as error:
        raise ConnectorError(f"Discord: too many calls ({where})", retry_after=error.retry_after, limited=True) from error
    except discord.HTTPException as error:
        if error.code in FULL:
            raise NotAllowed(f"Discord: {error.text} ({where})", _full(where)) from error
        if error.status == 401 and "webhook" not in error.text.lower():
            raise ConnectorError(REJECTED) from error
        if error.status == 401 or error.code == OLD_MESSAGE:
            raise MessageGone(f"Discord: {error.text} ({where})") from error
        again = BUSY if error.status >= 500 or error.status == 429 else None
        raise ConnectorError(f"Discord: {error.status} {error.text} ({where})", retry_after=again, limited=error.status == 429) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise ConnectorError(f"Discord cannot be reached: {error or type(error).__name__}", retry_after=BUSY) from error


def channel_of(to: Address) -> int:
    """The channel or thread that calls go to. Raises ConnectorError."""
    channel = to.thread or to.channel
    if not channel:
        raise ConnectorError(f"server {to.server} lets the bot write in no channel")
    return int(channel)


def where(to: Address) -> str:
    """What faults call it."""
    return f"channel <#{to.thread or to.channel}> of {'a direct chat' if to.direct else f'server {to.server}'}"
