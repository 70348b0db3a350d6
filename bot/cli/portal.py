"""`hobnob discord invite`: the link by which the bot gets into a guild. What it may do there: `bot/connectors/discord/access.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from bot import log
from bot.config import load
from bot.connectors.discord.access import Access, application, invitation
from bot.errors import ConfigError

UNCONFIGURED = "no Discord token is configured: set `token` under [connectors.discord], or HOBNOB_CONNECTORS__DISCORD__TOKEN"


def invite(path: Path | None) -> None:
    """Prints the link. Raises ConfigError without a token, ConnectorError when Discord does not know it or cannot be reached."""
    config = load(path)
    log.setup(config.log.model_copy(update={"level": "warning"}), log.secrets_of(config), process="invite")
    table = config.connectors.discord
    if table.token is None:
        raise ConfigError(UNCONFIGURED)
    access = Access.of(table)
    typer.echo(invitation(access, asyncio.run(application(access)).id))
