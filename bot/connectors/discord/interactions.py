"""Interactions as Messages: commands that are used or still typed, buttons, menus, forms. What else Discord tells: `incoming.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.connectors.discord import resolved
from bot.connectors.discord.incoming import address, age_restricted, person, quote, rights, subject
from bot.messages import Called, Clicked, Message, Typing

COMMAND, BUTTON, TYPING = "command", "button", "typing"

UNSEEN = "~"
"""How the ids of messages begin that only one person sees, and only the token reaches."""


@dataclass(frozen=True, slots=True)
class Via:
    """An interaction, as messages carry it: whatever process answers later finds it by this alone."""

    kind: str
    id: int
    token: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}:{self.token}"

    @classmethod
    def read(cls, text: str) -> Via | None:
        """What `str` made, or None for ""."""
        kind, _, rest = text.partition(":")
        id, _, token = rest.partition(":")
        return cls(kind, int(id), token) if token else None

    @property
    def born(self) -> float:
        """When it began, in seconds since 1970: its id says so."""
        return discord.utils.snowflake_time(self.id).timestamp()


def menu_label(command: str) -> str:
    """How a command is called in the menu of a message."""
    return command.replace("-", " ").capitalize()


def menu_command(label: str) -> str:
    """The command of that name."""
    return label.replace(" ", "-").lower()


def interacted(interaction: discord.Interaction[Any], me: discord.ClientUser) -> Message | None:
    """A command that is used or still typed, a button, a menu or a form; None for what needs no answer of ours."""
    data: Mapping[str, Any] = interaction.data or {}
    trigger, kind = _trigger(interaction.type, data)
    if trigger is None:
        return None
    about = interaction.message if kind == BUTTON else _target(interaction, data)
    via = Via(kind, interaction.id, interaction.token)
    return Message(
        id=str(about.id) if about is not None and kind == BUTTON else str(interaction.id),
        event=f"interaction:{interaction.id}",
        address=address(interaction.channel or discord.Object(interaction.channel_id or 0), interaction.guild, interaction.user),
        sender=person(interaction.user),
        trigger=trigger,
        at=via.born,
        me=str(me.id),
        mentions=resolved.people(data),
        reply_to=quote(about),
        language=str(interaction.locale),
        **rights(interaction.user, interaction.guild, interaction.permissions),
        age_restricted=age_restricted(interaction.channel),
        place=interaction.guild.name if interaction.guild else "",
        subject=subject(interaction.channel),
        via=str(via),
    )


def _trigger(kind: discord.InteractionType, data: Mapping[str, Any]) -> tuple[Called | Typing | Clicked | None, str]:
    match kind:
        case discord.InteractionType.component:
            return Clicked(data["custom_id"], tuple(data.get("values", ()))), BUTTON
        case discord.InteractionType.modal_submit:
            return Clicked(data["custom_id"], filled=dict(_filled(data["components"], data))), BUTTON
        case discord.InteractionType.application_command:
            return _called(data), COMMAND
        case discord.InteractionType.autocomplete:
            return _typing(data), TYPING
    return None, ""


def _filled(parts: Iterable[Mapping[str, Any]], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What stands in a form's inputs, by their names; inputs stand in labels."""
    for part in parts:
        inner = part.get("components") or ([part["component"]] if "component" in part else [])
        yield from _filled(inner, data)
        if "custom_id" in part:
            chosen = (resolved.picked(part["type"], one, data) for one in part.get("values", ()))
            yield part["custom_id"], part["value"] if "value" in part else ", ".join(chosen)


def _called(data: Mapping[str, Any]) -> Called:
    if data.get("type") == discord.AppCommandType.message.value:
        return Called(menu_command(data["name"]))
    return Called(data["name"], _given(data.get("options", []), data))


def _given(options: Iterable[Mapping[str, Any]], data: Mapping[str, Any]) -> dict[str, Any]:
    kinds = resolved.OPTIONS
    return {
        one["name"].replace("-", "_"): resolved.picked(kinds[one["type"]], one["value"], data) if one["type"] in kinds else one["value"]
        for one in options
    }


def _typing(data: Mapping[str, Any]) -> Typing | None:
    """The option at which somebody is."""
    options: list[Mapping[str, Any]] = data.get("options", [])
    at = next((one for one in options if one.get("focused")), None)
    if at is None:
        return None
    return Typing(data["name"], at["name"].replace("-", "_"), str(at["value"]), _given((one for one in options if one is not at), data))


def _target(interaction: discord.Interaction[Any], data: Mapping[str, Any]) -> discord.Message | None:
    """The message in whose menu the command was."""
    found = (data.get("resolved") or {}).get("messages", {}).get(data.get("target_id"))
    if found is None or interaction.channel is None:
        return None
    return discord.Message(state=interaction._state, channel=interaction.channel, data=found)  # type: ignore[arg-type]
