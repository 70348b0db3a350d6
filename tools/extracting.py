"""Finds what code says to people, and brings catalogues up to it. Which code: `texts.py`; reading them for people: `bot/locales.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel

from bot.forms import options
from bot.locales import faults
from bot.plugins import Loaded, Plugins
from bot.routes import Action, Command

WIDTH = 120
"""Characters of a line in a catalogue."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text; `many` is the same for numbers other than one, where there is such a form."""

    text: str
    many: str = ""


def said(path: Path) -> Iterator[Said]:
    """What a file says by `tr` and `later`, in its order. Raises ValueError where a text is no literal."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call) and marks(node)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        words = [one.value for one in call.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(words) != len(call.args[:2]) or not words:
            raise ValueError(f"{path}:{call.lineno}: expected literals in tr(…), because catalogues are made of them")
        yield Said(*words)


def marks(call: ast.Call) -> bool:
    """Whether a call is one that marks a text."""
    match call.func:
        case ast.Name(id="tr" | "later") | ast.Attribute(attr="tr"):
            return True
    return False


def declared(plugins: Plugins) -> Iterator[Said]:
    """What the plugins declare instead of saying it: summaries, commands and their fields, configuration, settings, forms."""
    for name, loaded in plugins.loaded.items():
        yield from declared_by(loaded, [route for plugin, route in plugins.collect("register_routes") if plugin == name])


def declared_by(loaded: Loaded, routes: Iterable[Any]) -> Iterator[Said]:
    """The same of one plugin."""
    yield Said(loaded.manifest.summary)
    for route in routes:
        match route:
            case Command(description=description, example=example, args=args):
                yield from (Said(text) for text in (description, example, *_described(args)) if text)
            case Action(payload=payload):
                yield from (Said(text) for text in _described(payload))
    config = type(loaded.config).model_json_schema()
    for part in (config, *config.get("$defs", {}).values()):
        yield from (Said(field["description"]) for field in part.get("properties", {}).values() if "description" in field)
    shape = loaded.settings.model_json_schema().get("properties", {})
    yield from (Said(part[word]) for part in shape.values() for word in ("title", "description") if part.get(word))


def _described(model: type[BaseModel]) -> Iterator[str]:
    """The descriptions that fields have, and not the titles that stand for those that have none."""
    known = {field.description for field in model.model_fields.values()}
    yield from (option.description for option in options(model) if option.description in known)


def template(texts: Iterable[Said]) -> Catalog:
    """All of them, untranslated."""
    made = Catalog(fuzzy=False)
    for one in texts:
        made.add((one.text, one.many) if one.many else one.text)
    return made


def updated(path: Path, texts: Catalog, head: str) -> bytes:
    """The catalogue of a language with exactly these texts; what is new has no translation yet."""
    old = read(path) if path.exists() else Catalog(locale=path.stem)
    made = Catalog(locale=path.stem, fuzzy=False, header_comment=head)
    for message in texts:
        if message.id:
            known = old.get(message.id if isinstance(message.id, str) else message.id[0])
            made.add(message.id, known.string if known is not None else "")
    content = BytesIO()
    write_po(content, made, width=WIDTH, omit_header=True)
    lines = [f'"Language: {path.stem}\\n"', '"Content-Type: text/plain; charset=utf-8\\n"', f'"Plural-Forms: {made.plural_forms}\\n"']
    return "\n".join([head, 'msgid ""', 'msgstr ""', *lines, "", content.getvalue().decode()]).encode()


def read(path: Path) -> Catalog:
    """Raises PoFileError."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def lacking(path: Path, texts: Catalog) -> Iterator[str]:
    """What is not translated in a catalogue, what nobody says any more, and what names other values than its text."""
    there = read(path)
    wanted = {message.id: message for message in texts if message.id}
    for message in there:
        if message.id and message.id not in wanted:
            yield f"{path.name}:{message.lineno}: nobody says {message.id!r} any more"
    for id in wanted:
        known = there.get(id if isinstance(id, str) else id[0])
        if known is None or not (known.string if isinstance(known.string, str) else all(known.string or [""])):
            yield f"{path.name}: {id!r} is not translated"
    yield from (f"{path.name}: {fault}" for fault in faults(there))
