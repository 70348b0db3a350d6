"""What people choose and fill in becomes a payload; where a platform has no forms, a reply fills one in. Whose it is: `dispatch.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from bot.connector import Connector, Filling
from bot.forms import Form, Option, Select
from bot.messages import Clicked, Message, Quote, Said
from bot.router.forgeries import not_offered
from bot.router.picking import MOST_NAMED, Picking
from bot.store.plugindata import Pressed
from bot.translation import tr

LINE = re.compile(r"\s*`?(?P<name>\w+)`?\s*:\s?(?P<value>.*)")


class FillingStore(Protocol):
    """Where it is remembered who fills in what."""

    async def fill(self, conversation: str, person: str, button: str, below: Quote | None = None) -> None:
        """See `PluginData.fill`."""

    async def filling(self, conversation: str, person: str) -> tuple[str, Quote | None]:
        """See `PluginData.filling`."""

    async def button(self, id: str) -> Pressed | None:
        """See `PluginData.button`."""


class Forms:
    """Opens forms where the platform has them, and asks for the same by a message elsewhere."""

    def __init__(self, connectors: Mapping[str, Connector], store: FillingStore, picking: Picking) -> None:
        self._connectors = connectors
        self._store = store
        self._picking = picking

    async def opened(self, message: Message, form: Form, button: str) -> str:
        """ "" once it is open, else what to ask for. Raises ConnectorError."""
        connector, form = self._connectors.get(message.address.connector), await self._picking.offered(form, message)
        if isinstance(connector, Filling):
            await connector.open_form(message, form)
            return ""
        await self._store.fill(message.address.conversation, message.sender.id, button, message.reply_to)
        return question(form)

    async def resumed(self, message: Message) -> Message:
        """The message as the form that it fills in, if it replies to such a question: about what the form's button stands below."""
        replied, said = message.reply_to, message.trigger
        if replied is None or replied.sender.id != message.me or not isinstance(said, Said) or said.replaces:
            return message
        if not message.text.strip():
            return message
        button, below = await self._store.filling(message.address.conversation, message.sender.id)
        pressed = await self._store.button(button) if button else None
        asked = "".join(part.text for part in replied.parts if part.kind == "text")
        if pressed is None or not isinstance(pressed.asks, Form) or not asked.startswith(f"{pressed.asks.title}: "):
            return message
        about = replace(replied, parts=below.parts) if below else replied  # what takes its place is still shown where was asked
        return replace(message, trigger=Clicked(button, filled=read(pressed.asks, message.text)), reply_to=about)


def question(form: Form) -> str:
    """What to ask for by a message: one thing, or lines of which each names one."""
    if len(form.inputs) == 1:
        [only] = form.inputs
        now = _shown(only, form)
        asked = tr("reply to this message with it. {what}", what=_about(only))
        return f"{form.title}: {asked}" + (f"\n```\n{now}\n```" if now else "")
    lines = "\n".join(f"{one.name}: {_shown(one, form)}" for one in form.inputs)
    about = "\n".join(f"`{one.name}`: {_about(one)}" for one in form.inputs)
    asked = tr("reply to this message with the lines that you want to change.")
    return f"{form.title}: {asked}\n```\n{lines}\n```\n{about}"


def _shown(option: Option, form: Form) -> str:
    value = form.values.get(option.name)
    return "" if value is None else option.labels.get(str(value), str(value))


def _about(option: Option) -> str:
    """What it is, and what may be said."""
    answers = [option.labels.get(str(one), str(one)) for one in option.choices]
    more = "…" if len(answers) > MOST_NAMED else ""
    named = tr("One of {answers}.", answers=", ".join(answers[:MOST_NAMED]) + more) if answers else ""
    return " ".join(filter(None, (option.description, named)))


def read(form: Form, text: str) -> dict[str, str]:
    """What a reply fills in; words that name no input are the first one's, and lines after one go on with it."""
    filled: dict[str, str] = {}
    name = form.inputs[0].name
    known = {one.name for one in form.inputs}
    for line in text.strip().strip("`").strip().splitlines():
        named = LINE.fullmatch(line)
        if named and named["name"] in known:
            name, line = named["name"], named["value"]
        filled[name] = f"{filled[name]}\n{line}" if name in filled else line
    return {name: value.strip() for name, value in filled.items()}


def given(pressed: Pressed, clicked: Clicked, nth: str) -> dict[str, Any]:
    """The payload with what was chosen or filled in; `nth` says which choice's own button was pressed, "" for none.

    Raises Forged for what the button does not ask for.
    """
    match pressed.asks:
        case Form(inputs=inputs) if clicked.filled is not None:
            if not {one.name for one in inputs}.issuperset(clicked.filled):
                raise not_offered()
            kept = {name: value for name, value in pressed.payload.items() if clicked.filled.get(name) != ""}
            return kept | {name: value for name, value in clicked.filled.items() if value != ""}
        case Select(name=name) as select:
            chosen = _chosen(select, (nth,) if nth else clicked.chosen, toggling=bool(nth))
            return {**pressed.payload, name: chosen if select.most > 1 else next(iter(chosen), None)}
    return dict(pressed.payload)


def _chosen(select: Select, numbers: tuple[str, ...], *, toggling: bool) -> list[str]:
    """The values of these numbers, in the order of the menu; of one that is shown as buttons, as it stands after this press."""
    values = {str(at): one.value for at, one in enumerate(select.choices)}
    if not set(values).issuperset(numbers):
        raise not_offered()
    chosen = {values[at] for at in numbers}
    if toggling and select.most > 1:
        chosen ^= {one.value for one in select.choices if one.chosen}
    return [value for value in values.values() if value in chosen]
