"""A bot written with hikari, which knows nothing of us: it echoes, edits, sends a picture, and answers a command and a button."""

from __future__ import annotations

import sys

import hikari

url, token = sys.argv[1:]
INTENTS = hikari.Intents.ALL_UNPRIVILEGED | hikari.Intents.MESSAGE_CONTENT
NOBODY = {"mentions_everyone": False, "user_mentions": False, "role_mentions": False}

bot = hikari.GatewayBot(token, rest_url=f"{url}/api/v10", intents=INTENTS, banner=None)


@bot.listen()
async def available(event: hikari.GuildAvailableEvent) -> None:
    me = bot.get_me()
    assert me is not None
    ping = bot.rest.slash_command_builder("ping", "Says pong.")
    await bot.rest.set_application_commands(me.id, [ping], event.guild_id)


@bot.listen()
async def echo(event: hikari.GuildMessageCreateEvent) -> None:
    if event.is_bot:
        return
    row = bot.rest.build_message_action_row().add_interactive_button(hikari.ButtonStyle.SECONDARY, "more", label="More")
    sent = await event.message.respond("…", component=row, reply=True)
    await sent.edit(f"you said {event.content}")
    picture = hikari.Bytes(b"\x89PNG\r\n\x1a\n" + bytes(64), "a.png")
    await bot.rest.create_message(event.channel_id, "a picture", attachment=picture, **NOBODY)
    for attachment in event.message.attachments:
        await event.message.respond(f"{len(await attachment.read())} bytes", **NOBODY)


@bot.listen()
async def used(event: hikari.InteractionCreateEvent) -> None:
    if isinstance(event.interaction, hikari.CommandInteraction):
        await event.interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
        await event.interaction.edit_initial_response("pong", **NOBODY)
    elif isinstance(event.interaction, hikari.ComponentInteraction):
        await event.interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
        await event.interaction.edit_initial_response("pressed", **NOBODY)


bot.run(check_for_updates=False)
