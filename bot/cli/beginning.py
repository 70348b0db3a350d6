"""`hobnob init`: a few questions in the terminal. What becomes of the answers: `wizard.py`, as behind the page of the first run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar, get_args

import typer

from bot.catalogue import Use
from bot.cli.answered import answered
from bot.cli.checking import write
from bot.cli.fitting import Wish
from bot.cli.recommending import show
from bot.cli.wizard import Wizard
from bot.config import DOTENV, load
from bot.editing import Draft
from bot.errors import ConfigError, ConnectorError, PullError
from bot.faults import variable
from bot.web.setup import Platform

T = TypeVar("T")

GREETING = """A few questions about this Hobnob. Enter takes what stands in brackets, or leaves things as they are.
Nothing is written before you have seen it."""


def init(path: Path | None) -> None:
    """Asks, shows what would change, and writes it when that is wanted. Raises ConfigError, UserError where nobody answers."""
    wizard = Wizard(load(path))
    with answered(_otherwise(wizard.draft.file)):
        typer.echo(GREETING)
        for ask in (_discord, _telegram, _models, _plugins):
            typer.echo()
            ask(wizard)
        typer.echo()
    settle(wizard.draft)
    typer.echo(
        "Next: `hobnob models pull` brings the models that you chose, and `hobnob run` starts everything, with a link to the room and"
    )
    typer.echo("a code: say `/claim CODE` to the bot, and it is yours.")


def settle(draft: Draft) -> None:
    """Shows a draft, and writes it when that is wanted. Raises UserError where nobody says whether it is."""
    if not draft.changed:
        typer.echo("Everything stays as it is.")
        return
    typer.echo(draft.shown())
    typer.echo()
    with answered(_otherwise(draft.file)):
        wanted = typer.confirm("Write this?", default=True)
    if wanted:
        _awaited(write(draft))
        typer.echo(f"Written: {draft.file}")
    else:
        typer.echo("Nothing was written.")


def _otherwise(file: Path) -> str:
    """How it is done without questions."""
    return (
        "Run it in a terminal, or start `hobnob run`, whose first page asks in a browser. Without questions: write what you want into "
        f"{file} (config/bot.example.toml shows every key) and tokens into {file.parent / DOTENV} "
        f"({variable(('connectors', 'discord', 'token'))}=…), and `hobnob check` says whether it holds"
    )


def _discord(wizard: Wizard) -> None:
    _platform("discord", "Discord: the token of your bot, from https://discord.com/developers/applications, Bot", wizard)


def _telegram(wizard: Wizard) -> None:
    _platform("telegram", "Telegram: the token of your bot, from @BotFather, /newbot", wizard)


def _platform(name: Platform, question: str, wizard: Wizard) -> None:
    """Asks for a token until one works, and for a proxy where the platform cannot be reached."""
    proxy, connected = "", " (there is one, and it is kept)" if wizard.connected(name) else " (Enter: not now)"
    while token := typer.prompt(f"{question}{connected}", default="", show_default=False, hide_input=True).strip():
        try:
            found = _awaited(wizard.connect(name, token, proxy))
        except ConfigError as error:
            typer.echo(str(error))
            proxy = ""
            continue
        except ConnectorError as error:
            typer.echo(f"{error}.")
            if error.retry_after is not None:
                asked = "A proxy to reach it by, http://HOST:PORT (Enter: none)"
                proxy = typer.prompt(asked, default="", show_default=False).strip() or proxy
            continue
        typer.echo(f"This is {found.name}. By this link it gets in:\n{found.link}")
        for missing in found.missing:
            typer.echo(missing)
        return


def _models(wizard: Wizard) -> None:
    """The best line-up that this machine has room for."""
    use = _one(
        "What the bot is for: private (people you know), public (everybody, free) or commercial", get_args(Use), wizard.config.models.use
    )
    languages = typer.prompt("Languages that people write in, as codes separated by commas", default="en")
    wish = Wish(tuple(code for each in languages.split(",") if (code := each.strip().lower())), use=use, alone=True)
    advice, (machine, known) = _awaited(wizard.advise(wish)), _awaited(wizard.look())
    show(advice, machine)
    best = next((rung for rung in advice.ladder if advice.lineup and rung.model == advice.lineup[0].model), None)
    chat = wizard.config.plugins.get("chat")
    if best is None or best.precision is None or list(chat.options.get("models", ()) if chat else ())[:1] == [best.model]:
        return
    if typer.confirm(f"Have {best.model} answer, {best.how}?", default=True):
        entry = known.models[best.model]
        licence = known.licence(entry)
        typer.echo(f"Its licence: {licence.name}. {' '.join(f'{duty}.' for duty in licence.duties)}")
        _choose(wizard, best.model, wizard.page(entry) if entry.gated else "")


def _choose(wizard: Wizard, model: str, gated: str) -> None:
    """Asks for the hub's token until it gives us the model, or nobody knows one."""
    if gated:
        typer.echo(f"Its repository wants its terms accepted first: {gated}, with an account there.")
    while gated and (
        token := typer.prompt("An access token of that account (Enter: later)", default="", show_default=False, hide_input=True)
    ):
        wizard.hub("", token.strip())
        try:
            _awaited(wizard.choose([model]))
        except PullError as error:
            typer.echo(f"{error}.")
        else:
            return
    _awaited(wizard.choose([model], unseen=True))


def _plugins(wizard: Wizard) -> None:
    """Those that are installed; what is on stays on."""
    for name, (summary, on) in _awaited(wizard.plugins()).items():
        if not on and typer.confirm(f"{name}: {summary} Switch it on?", default=False):
            _awaited(wizard.switch(name, on=True))


def _one(question: str, allowed: tuple[Use, ...], default: Use | None) -> Use:
    while True:
        said = typer.prompt(question, default=default or "private").strip().lower()
        for value in allowed:
            if value == said:
                return value
        typer.echo(f"Please say one of {', '.join(allowed)}.")


def _awaited(found: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(found)
