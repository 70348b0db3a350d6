"""What Discord accepts in the body of a message or a command, in its own words and codes. The calls themselves: `discord_rest.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.wire.discord_payloads import Json

FILE = 10 << 20
"""Bytes of a file in a guild without boosts, since January 2025."""

NAME = re.compile(r"^[-_'\w]{1,32}$")


PICKS = {5: ("user",), 6: ("role",), 7: ("user", "role"), 8: ("channel",)}
"""Menus of what a guild has, by their types, and what can stand chosen in them."""


class Refused(Exception):  # noqa: N818  an answer
    """The API says no."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def body(self) -> Json:
        """What it says."""
        return {"code": self.code, "message": str(self)}


def invalid(what: str) -> Refused:
    """A body that breaks a limit."""
    return Refused(400, 50035, f"Invalid Form Body: {what}")


def check_message(body: Json, files: dict[str, tuple[str, bytes, str]], *, edit: bool) -> None:
    """Raises Refused for a message that Discord would not take."""
    content = body.get("content") or ""
    if len(content.encode("utf-16-le")) // 2 > 2000:
        raise invalid("content: Must be 2000 or fewer in length.")
    if not (edit or content.strip() or files or body.get("embeds") or body.get("components")):
        raise Refused(400, 50006, "Cannot send an empty message")
    if len(str(body.get("nonce", ""))) > 25:
        raise invalid("nonce: Must be 25 or fewer in length.")
    if len(files) > 10:
        raise invalid("files: Must be 10 or fewer in length.")
    if any(len(data) > FILE for _, data, _ in files.values()):
        raise Refused(413, 40005, "Request entity too large")
    check_components(body.get("components") or [])


def check_components(rows: list[Json]) -> None:
    """Rows of buttons, and menus."""
    if len(rows) > 5:
        raise invalid("components: Must be 5 or fewer in length.")
    ids = [part["custom_id"] for row in rows for part in row["components"]]
    if len(set(ids)) < len(ids):
        raise invalid("components: custom ids cannot be duplicated")
    for row in rows:
        menus = [part for part in row["components"] if part["type"] == 3]
        if row["type"] != 1 or not 1 <= len(row["components"]) <= (1 if menus else 5):
            raise invalid("components: a row holds 1 to 5 buttons, or one menu")
        for part in row["components"]:
            if part["type"] not in (2, 3) or not 1 <= len(part["custom_id"]) <= 100:
                raise invalid("components: custom_id 1 to 100")
            if part["type"] == 2 and not 1 <= len(part.get("label") or "") <= 80:
                raise invalid("components: label 1 to 80")
            if part["type"] == 3:
                check_menu(part)


def check_menu(menu: Json) -> None:
    """A select menu, of a message or a modal."""
    values = [one["value"] for one in menu["options"]]
    if not 1 <= len(values) <= 25 or len(set(values)) < len(values):
        raise invalid("options: 1 to 25, and no value twice")
    if not 0 <= menu.get("min_values", 1) <= menu.get("max_values", 1) <= len(values):
        raise invalid("max_values: Must be less than or equal to the number of options.")
    if any(not 1 <= len(one["label"]) <= 100 or not 1 <= len(one["value"]) <= 100 for one in menu["options"]):
        raise invalid("options: label and value 1 to 100")
    if sum(bool(one.get("default")) for one in menu["options"]) > menu.get("max_values", 1):
        raise invalid("options: more defaults than max_values")


def check_picks(menu: Json) -> None:
    """A menu of what a guild has, of a message or a modal."""
    stands = menu.get("default_values") or []
    if menu.get("options") or not 0 <= menu.get("min_values", 1) <= menu.get("max_values", 1) <= 25:
        raise invalid("min_values, max_values: 0 to 25, and no options")
    if len(stands) > menu.get("max_values", 1) or any(one["type"] not in PICKS[menu["type"]] for one in stands):
        raise invalid("default_values: no more than max_values, of types that the menu has")
    if "required" in menu and menu["required"] and not menu.get("min_values", 1):
        raise invalid("min_values: 1 where something is required")


def check_modal(data: Json) -> None:
    """A form."""
    if not 1 <= len(data["title"]) <= 45 or not 1 <= len(data["custom_id"]) <= 100 or not 1 <= len(data["components"]) <= 5:
        raise invalid("title 1 to 45, custom_id 1 to 100, components 1 to 5")
    for label in data["components"]:
        if label["type"] != 18 or not 1 <= len(label["label"]) <= 45 or len(label.get("description") or "") > 100:
            raise invalid("components: labels with label 1 to 45, description 100 at most")
        part = label["component"]
        if part["type"] == 3:
            check_menu(part)
        elif part["type"] in PICKS:
            check_picks(part)
        elif part["type"] != 4 or not 0 <= part.get("min_length", 0) <= part.get("max_length", 4000) <= 4000:
            raise invalid("min_length, max_length: 0 to 4000")
        elif len(part.get("value") or "") > part.get("max_length", 4000) or len(part.get("placeholder") or "") > 100:
            raise invalid("value: no longer than max_length; placeholder: 100 at most")


def check_commands(commands: list[Json]) -> None:
    """A set of commands of a guild, or of direct messages."""
    slash = [one for one in commands if one.get("type", 1) == 1]
    menus = [one for one in commands if one.get("type", 1) == 3]
    if len(slash) > 100 or len(menus) > 15:  # 15 since 2026
        raise Refused(400, 30032, "Maximum number of application commands reached (100).")
    names = [(one.get("type", 1), one["name"]) for one in commands]
    if len(set(names)) < len(names):
        raise invalid("name: Application command names must be unique")
    for fault in (fault for one in commands for fault in _faults(one)):
        raise invalid(fault)


def _faults(command: Json) -> Iterator[str]:
    if command.get("type", 1) == 3:
        if command.get("description") or not 1 <= len(command["name"]) <= 32:
            yield "a message command has a name of 1 to 32 and no description"
        return
    yield from _named(command)
    options = command.get("options", [])
    if len(options) > 25:
        yield "options: Must be 25 or fewer in length."
    required = [option.get("required", False) for option in options]
    if required != sorted(required, reverse=True):
        yield "options: Required options must be placed before non-required options"
    for option in options:
        yield from _named(option)
        if len(option.get("choices", [])) > 25 or (option.get("choices") and option.get("autocomplete")):
            yield "choices: 25 at most, and none beside autocomplete"
        if option["type"] == 3 and not 0 <= option.get("min_length", 0) <= option.get("max_length", 6000) <= 6000:
            yield "max_length: 1 to 6000"


def _named(part: Json) -> Iterator[str]:
    if not NAME.match(part["name"]) or part["name"] != part["name"].lower():
        yield f"name: {part['name']!r} is no name"
    if not 1 <= len(part.get("description", "")) <= 100:
        yield f"description of {part['name']}: Must be between 1 and 100 in length."
    for text in (part.get("description_localizations") or {}).values():
        if not 1 <= len(text) <= 100:
            yield "description_localizations: Must be between 1 and 100 in length."


def forgotten(body: Json) -> list[str]:
    """What a polite bot never leaves out."""
    allowed = body.get("allowed_mentions") or {}
    harmless = allowed.get("parse") == [] and not (allowed.get("users") or allowed.get("roles") or allowed.get("replied_user"))
    return [] if harmless else ["mentions"]
