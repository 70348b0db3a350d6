"""`/mydata` and `/privacy`: what is kept of a person, given back and deleted. How it is found: the core."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from bot import Action, Button, Command, Context, File, NoArgs, Reply, Route, later, tr, translated

UNREMEMBERED = later("What you say to me on this platform, and what I answer, is not remembered: each message stands by itself.")


class Memory(BaseModel):
    """Whether somebody wants to be remembered."""

    model_config = ConfigDict(frozen=True)

    wanted: bool


def routes() -> Iterable[Route]:
    """The commands, and what the buttons do."""
    return [
        Command("mydata", "See what I keep of you, take it home, or delete it.", NoArgs, mydata),
        Command("privacy", "See what I keep of people, and for how long.", NoArgs, privacy),
        Action("mine", NoArgs, export),
        Action("delete", NoArgs, delete),
        Action("deleted", NoArgs, deleted),
        Action("memory", Memory, memory),
    ]


async def mydata(ctx: Context, args: NoArgs) -> Reply:
    """What can be done; only the person who asks sees it, where the platform can."""
    text = tr("I can give you all that I keep of you on this platform, as a zip file, or delete it. What there is: /privacy.")
    on = await ctx.personal.remembered()
    label = tr("Do not remember me") if on else tr("Remember me again")
    buttons = [Button(tr("Give it to me"), "mine", {}), Button(tr("Delete it"), "delete", {}), Button(label, "memory", {"wanted": not on})]
    return Reply(text if on else f"{text} {translated(UNREMEMBERED)}", buttons=buttons, private=True)


async def memory(ctx: Context, args: Memory) -> Reply:
    """From now on."""
    await ctx.personal.remember(args.wanted)
    if args.wanted:
        return Reply(tr("From now on I remember what you say to me, for as long as this server wants it."), private=True)
    return Reply(f"{translated(UNREMEMBERED)} {tr('What you said before stays until you delete it.')}", private=True)


async def export(ctx: Context, args: NoArgs) -> Reply:
    """The zip of whoever pressed."""
    return Reply(tr("All that I keep of you on this platform."), File(await ctx.personal.export()), private=True)


async def delete(ctx: Context, args: NoArgs) -> Reply:
    """Asks once more."""
    text = tr(
        "This deletes what I remember of what you said to me and I answered you, in every server of this platform, what you said in "
        "rooms, what plugins keep for you, your buttons and reminders, your name where I have heard it, that you do not want to be "
        "remembered, and that you own me, if you do. What admins decided about you stays, without your name, and so do answers that stand "
        "in chats. It cannot be undone."
    )
    return Reply(text, buttons=[Button(tr("Delete all of it"), "deleted", {})], private=True)


async def deleted(ctx: Context, args: NoArgs) -> Reply:
    """The receipt."""
    gone = await ctx.personal.forget()
    lines = [f"- {translated(what)}: {count}" for what, count in gone.items()]
    receipt = tr("Deleted on {at} UTC, receipt {ref}:", at=f"{ctx.now:%Y-%m-%d %H:%M}", ref=ctx.ref)
    rest = tr("What is still under way (requests, jobs, files of a day) goes by itself within two days.")
    return Reply("\n".join([receipt, *lines, rest] if lines else [f"{receipt} {tr('there was nothing.')}", rest]), private=True)


async def privacy(ctx: Context, args: NoArgs) -> Reply:
    """Every kind of data that has to do with people, from the table that the store lives by."""
    kept = await ctx.personal.kept()
    asked = [f"- {translated(one.what)}: {translated(one.lives)}" for one in kept if one.asked]
    passing = [f"- {translated(one.what)}: {translated(one.lives)}" for one in kept if not one.asked]
    head = tr("Everything is kept on the machines of whoever runs me. With /mydata you get it, or have it deleted:")
    return Reply("\n".join([head, *asked, "", tr("This goes by itself:"), *passing]), private=True)
