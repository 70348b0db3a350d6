"""Whom somebody means: in words, by a mention, or by the message that they reply to. What holds for them: `permits.py`, `quotas.py`."""

from __future__ import annotations

import re

from bot import BadArguments, Context, Person, tr

LEVELS = ("guest", "member", "moderator", "admin")

MENTION = re.compile(r"<@!?(?P<id>\d+)>")
ROLE = re.compile(r"role:|<@&")


def named(ctx: Context) -> list[Person]:
    """Those who are mentioned. Raises BadArguments for a user name that nobody is known by: Telegram does not say whose it is."""
    found = [person for person in ctx.message.mentions if person.id != ctx.message.me]
    if unknown := [person.name for person in found if person.id.startswith("@")]:
        raise BadArguments(tr("I do not know who {name} is: say it in a reply to something that they said.", name=f"@{unknown[0]}"))
    return found


def replied(ctx: Context) -> Person | None:
    """Whose message this one replies to, where that is not the bot."""
    about = ctx.message.reply_to
    return about.sender if about is not None and about.sender.id not in ("", ctx.message.me) else None


async def grantee(ctx: Context, words: str, usage: str) -> tuple[str, str]:
    """Whom the words mean, as grants name them, and what people call them. Raises BadArguments, with the `usage` where nobody is meant."""
    if words in LEVELS:
        return f"level:{words}", ""
    if words in ("everyone", "everybody"):
        return "everyone", ""
    if words == "me":
        return f"person:{ctx.person.id}", ctx.person.name
    if ROLE.match(words):
        id, name = await ctx.permissions.find("role", words.removeprefix("role:").strip())
        return _unless_all(f"role:{id}", name)
    people = named(ctx)
    if found := MENTION.fullmatch(words):
        return f"person:{found['id']}", next((person.name for person in people if person.id == found["id"]), words)
    if len(people) == 1:
        return f"person:{people[0].id}", people[0].name
    if words:
        return _unless_all(*await ctx.permissions.find("mentionable", words))
    about = replied(ctx)
    if about is None:
        raise BadArguments(usage)
    return f"person:{about.id}", about.name


def _unless_all(who: str, name: str) -> tuple[str, str]:
    """Discord's role that all have is nobody's own."""
    return ("everyone", "") if who.startswith("role:") and name == "@everyone" else (who, name)
