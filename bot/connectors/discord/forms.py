"""Forms as Discord's modals, and what may be meant as its choices. What is filled in comes back in `interactions.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.connectors.discord.outgoing import LONGEST
from bot.forms import MOST_CHOICES, Choice, Form, Option
from bot.translation import tr

LABEL = TITLE = 45
"""Characters of a form's title, and of the name of an input."""

MOST_TEXT = 4000
"""Characters that an input takes."""

LINE = 100
"""Characters up to which an input is one line."""

SELECTS: dict[str, Callable[..., discord.ui.Item[Any]]] = {
    "channel": discord.ui.ChannelSelect,
    "role": discord.ui.RoleSelect,
    "person": discord.ui.UserSelect,
    "mentionable": discord.ui.MentionableSelect,
}
"""Discord's own menus of what a guild has, with a search in all of it."""

DEFAULTS = {
    "channel": discord.SelectDefaultValueType.channel,
    "role": discord.SelectDefaultValueType.role,
    "person": discord.SelectDefaultValueType.user,
}

CONVERT = {3: str, 4: int, 10: float}
"""What the values of an option are, by its type."""


def modal(form: Form, id: str) -> discord.ui.Modal:
    """The form; `id` comes back with what is filled in. discord.py forgets it: what it does is known by that alone."""
    made = discord.ui.Modal(title=form.title[:TITLE], custom_id=id)
    for one in form.inputs:
        made.add_item(
            discord.ui.Label(text=_label(one), description=one.description[:LONGEST], component=_input(one, form.values.get(one.name)))
        )
    made.stop()  # else it is kept to dispatch to
    return made


def _label(option: Option) -> str:
    return option.name.replace("_", " ").capitalize()[:LABEL]


def _input(option: Option, value: Any) -> discord.ui.Item[Any]:
    if option.kind in SELECTS:
        stands = [default] if (default := _stands(option.kind, str(value or ""))) is not None else []
        return SELECTS[option.kind](custom_id=option.name, required=option.required, min_values=int(option.required), default_values=stands)
    choices = ("true", "false") if option.kind == "boolean" else tuple(one for one in option.choices if str(one))  # nothing chosen is empty
    if 0 < len(choices) <= MOST_CHOICES:
        return discord.ui.Select(custom_id=option.name, options=[_choice(one, value) for one in choices], required=option.required)
    longest = min(int(option.most), MOST_TEXT) if option.kind == "text" and option.most else MOST_TEXT
    long = option.kind == "text" and longest > LINE
    more: dict[str, Any] = {"min_length": int(option.least)} if option.kind == "text" and option.least else {}
    return discord.ui.TextInput(
        custom_id=option.name,
        style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
        placeholder=_bounds(option) or None,
        default=None if value in (None, "") else str(value)[:longest],
        required=option.required,
        max_length=longest,
        **more,
    )


def _stands(kind: str, value: str) -> discord.SelectDefaultValue | None:
    """What is picked already; of a place, the thread."""
    whose, _, id = value.rpartition("/" if kind == "channel" else ":")
    if not id.isdecimal():
        return None
    return discord.SelectDefaultValue(id=int(id), type=DEFAULTS[whose if kind == "mentionable" else kind])


def _choice(choice: str | int | float, value: Any) -> discord.SelectOption:
    words = {"true": tr("Yes"), "false": tr("No")}.get(str(choice), str(choice))
    now = str(value).lower() if isinstance(value, bool) else str(value)
    return discord.SelectOption(label=words[:LONGEST], value=str(choice)[:LONGEST], default=str(choice) == now)


def _bounds(option: Option) -> str:
    """What a number may be."""
    if option.kind == "text":
        return ""
    least = [tr("at least {n}", n=f"{option.least:g}")] if option.least is not None else []
    most = [tr("at most {n}", n=f"{option.most:g}")] if option.most is not None else []
    return tr(", ").join([*least, *most])


def meant(choices: Sequence[Choice], kind: int) -> list[app_commands.Choice[Any]]:
    """Choices of an option of that type; what is no such value is left out."""
    found = []
    for one in choices[:MOST_CHOICES]:
        try:
            value = CONVERT.get(kind, str)(one.value)
        except ValueError:
            continue
        found.append(app_commands.Choice(name=one.label[:LONGEST] or one.value[:LONGEST], value=value))
    return found
