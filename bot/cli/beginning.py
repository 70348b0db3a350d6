"""`hobnob init`: a few questions, whose answers become bot.toml and `.env`. How these are changed: `bot/drafting.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, get_args

import typer

from bot import catalogue, discovery
from bot.catalogue import Catalogue, Use
from bot.cli.fitting import Part, Wish, advise
from bot.cli.recommending import look, show
from bot.config import Config, load
from bot.drafting import Draft
from bot.errors import BotError, ConnectorError
from bot.faults import variable

T = TypeVar("T")

PRECISIONS = {"8 bits on": "int8", "4 bits on": "int4"}
"""How a rung of the ladder runs, as the chat plugin is told it."""

GREETING = """A few questions about this Hobnob. Enter takes what stands in brackets, or leaves things as they are.
Nothing is written before you have seen it."""


def init(path: Path | None) -> None:
    """Asks, shows what would change, and writes it when that is wanted. Raises ConfigError."""
    config = load(path)
    draft = Draft(config.source.path)
    typer.echo(GREETING)
    for ask in (_discord, _telegram, _models, _plugins):
        typer.echo()
        ask(config, draft)
    typer.echo()
    settle(draft)
    typer.echo(
        "Next: `hobnob models pull` brings the models that you chose, and `hobnob run` starts everything, with a link to the room and"
    )
    typer.echo("a code: say `/claim CODE` to the bot, and it is yours.")


def settle(draft: Draft) -> None:
    """Shows a draft, and writes it when that is wanted."""
    if not draft.changed:
        typer.echo("Everything stays as it is.")
        return
    typer.echo(draft.shown())
    typer.echo()
    if typer.confirm("Write this?", default=True):
        draft.write()
        typer.echo(f"Written: {draft.file}")
    else:
        typer.echo("Nothing was written.")


def _discord(config: Config, draft: Draft) -> None:
    from bot.connectors.discord.access import NO_CONTENT, Access, application, invitation

    def check(token: str, proxy: str | None) -> None:
        table = config.connectors.discord
        access = Access(token, table.api_url, table.gateway_url, table.cdn_url, proxy)
        found = _awaited(application(access))
        typer.echo(f"This is {found.name}. By this link it gets into a server:\n{invitation(access, found.id)}")
        if not found.reads_content:
            typer.echo(f"One thing is missing: {NO_CONTENT}.")

    _platform("discord", "Discord: the token of your bot, from https://discord.com/developers/applications, Bot", config, draft, check)


def _telegram(config: Config, draft: Draft) -> None:
    from bot.connectors.telegram.access import myself

    def check(token: str, proxy: str | None) -> None:
        me = _awaited(myself(token, config.connectors.telegram.api_url, proxy))
        typer.echo(f"This is @{me.name}: https://t.me/{me.name}")
        if not me.joins:
            typer.echo("Nobody can add it to a group. In a chat with @BotFather: /setjoingroups, Enable.")
        if not me.hears:
            typer.echo(
                "In groups it sees commands, mentions and replies alone. To have it hear everything: @BotFather, /setprivacy, Disable."
            )

    _platform("telegram", "Telegram: the token of your bot, from @BotFather, /newbot", config, draft, check)


def _platform(name: str, question: str, config: Config, draft: Draft, check: Callable[[str, str | None], None]) -> None:
    """Asks for a token until one works, and for a proxy where the platform cannot be reached."""
    table = getattr(config.connectors, name)
    proxy = table.proxy.get_secret_value() if table.proxy else None
    connected = " (there is one, and it is kept)" if table.token else " (Enter: not now)"
    while token := typer.prompt(f"{question}{connected}", default="", show_default=False, hide_input=True).strip():
        try:
            check(token, proxy)
        except ConnectorError as error:
            typer.echo(f"{error}.")
            if error.retry_after is not None:
                given = typer.prompt("A proxy to reach it by, http://HOST:PORT (Enter: none)", default="", show_default=False).strip()
                proxy = given or proxy
            continue
        draft.secret(variable(("connectors", name, "token")), token)
        if proxy and not table.proxy:
            draft.secret(variable(("connectors", name, "proxy")), proxy)
        return


def _models(config: Config, draft: Draft) -> None:
    """The best line-up that this machine has room for."""
    use = _one("What the bot is for: private (people you know), public (everybody, free) or commercial", get_args(Use), config.models.use)
    languages = typer.prompt("Languages that people write in, as codes separated by commas", default="en")
    wish = Wish(tuple(code for each in languages.split(",") if (code := each.strip().lower())), use=use)
    machine, known = look(), catalogue.load(added=config.models_dir)
    advice = advise(known, machine, wish)
    show(advice, machine)
    draft.set(("models", "use"), use)
    best = next((part for part in advice.lineup if part.kind == "chat"), None)
    if best is not None:
        _choose(best, known, config, draft)


def _choose(best: Part, known: Catalogue, config: Config, draft: Draft) -> None:
    entry = known.models[best.model]
    chosen = config.plugins["chat"].options.get("models", ()) if "chat" in config.plugins else ()
    if (
        "server" in best.how
        or list(chosen)[:1] == [best.model]
        or not typer.confirm(f"Have {best.model} answer, {best.how}?", default=True)
    ):
        return
    licence = known.licence(entry)
    typer.echo(f"Its licence: {licence.name}. {' '.join(f'{duty}.' for duty in licence.duties)}")
    if entry.gated and config.models.token is None:
        typer.echo(
            f"Its repository wants its terms accepted first: {config.models.endpoint or 'https://huggingface.co'}, with an account there."
        )
        if token := typer.prompt("An access token of that account (Enter: later)", default="", show_default=False, hide_input=True).strip():
            draft.secret(variable(("models", "token")), token)
    draft.set(("plugins", "chat", "models"), [best.model, *(name for name in chosen if name != best.model)])
    for words, precision in PRECISIONS.items():
        if best.how.startswith(words):
            draft.set(("plugins", "chat", "running", best.model, "precision"), precision)


def _plugins(config: Config, draft: Draft) -> None:
    """Those that are installed; what is on stays on."""
    for name in sorted(discovery.installed()):
        if name in config.plugins:
            continue
        try:
            summary = discovery.find(config, name).manifest().summary
        except BotError:
            continue
        if typer.confirm(f"{name}: {summary} Switch it on?", default=False):
            draft.table(("plugins", name))


def _one(question: str, allowed: tuple[Use, ...], default: Use | None) -> Use:
    while True:
        said = typer.prompt(question, default=default or "private").strip().lower()
        for value in allowed:
            if value == said:
                return value
        typer.echo(f"Please say one of {', '.join(allowed)}.")


def _awaited(found: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(found)
