"""discord.py's own extension for commands: an echo, and twenty commands that nobody uses. Arguments: API, gateway, token."""

from __future__ import annotations

import sys

import discord
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

api, gateway, token = sys.argv[1:]
Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api, yarl.URL(gateway)
intents = discord.Intents.default()
intents.message_content = True
bot = commands.Bot("!", intents=intents, help_command=None, allowed_mentions=discord.AllowedMentions.none())


@bot.command()
async def echo(ctx: commands.Context, *, words: str) -> None:
    await ctx.reply(words)


for number in range(20):

    @bot.command(f"idle{number}")
    async def idle(ctx: commands.Context) -> None:
        raise AssertionError


bot.run(token, log_handler=None)
