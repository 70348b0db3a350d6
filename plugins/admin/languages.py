"""`/language`: in which language a person reads what the bot says itself. What holds for a whole server: a setting of the bot itself."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from bot import Action, Button, Choice, Command, Context, Reply, Route, Select, later, tr, translated

PANEL = later(
    "I can say my own words to you in these languages, in every server of this platform. In which language I answer "
    "follows from what you write."
)


class LanguageArgs(BaseModel):
    """What `/language` takes."""

    model_config = ConfigDict(extra="forbid")

    language: str = Field(default="", max_length=40, description="A language by its tag, such as en or zh-Hans; empty shows what there is.")


class Chosen(BaseModel):
    """What a menu chooses; "" leaves it to the server and the platform."""

    model_config = ConfigDict(frozen=True)

    language: str = ""


def routes() -> Iterable[Route]:
    """The command, its menu and its button."""
    return [
        Command("language", "Choose the language that I speak to you.", LanguageArgs, language, example="/language zh-Hans"),
        Action("language", Chosen, chosen),
    ]


async def language(ctx: Context, args: LanguageArgs) -> Reply:
    """What there is, or the choice at once."""
    return await chosen(ctx, Chosen(language=args.language.strip())) if args.language.strip() else await panel(ctx)


async def chosen(ctx: Context, args: Chosen) -> Reply:
    """Holds from these words on."""
    await ctx.personal.speak(args.language)
    return await panel(ctx, new=True)


async def panel(ctx: Context, *, new: bool = False) -> Reply:
    """A menu of all languages, in the words of those who speak them; with what was chosen, where that is `new`."""
    there = await ctx.personal.languages()
    mine = next((one.name for one in there if one.chosen), "")
    said = (
        tr("From now on I speak this language to you: {language}.", language=mine)
        if mine
        else tr("From now on I speak as this server does.")
    )
    menu = Select("language", "language", tuple(Choice(one.name, one.tag, chosen=one.chosen) for one in there), placeholder=tr("Language"))
    back = [Button(tr("As this server does"), "language", {})] if mine else []
    return Reply(f"{said}\n{translated(PANEL)}" if new else translated(PANEL), buttons=[menu, *back], private=True, instead=True)
