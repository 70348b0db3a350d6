"""What somebody picked of a guild: ids, and what Discord says of them. The menus: `forms.py`; what there is: `surroundings.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.messages import Address, Person

CHANNELS, MENTIONABLES = 8, 7
"""Types of menus whose ids do not say enough [components reference]."""

OPTIONS = {7: CHANNELS, 9: MENTIONABLES}
"""Types of a command's options that are picked in the same way."""

THREADS = (10, 11, 12)
"""Types of channels that are threads of another."""


def picked(menu: int, id: str, data: Mapping[str, Any]) -> str:
    """The id as forms know it: a channel's place, and of whoever is mentionable whether it is a role or a person."""
    there: Mapping[str, Any] = data.get("resolved") or {}
    match menu:
        case 8 if (channel := there.get("channels", {}).get(id, {})).get("type") in THREADS:
            return Address("discord", "", str(channel.get("parent_id", "")), id).place
        case 7:
            return f"{'role' if id in there.get('roles', {}) else 'person'}:{id}"
    return id


def people(data: Mapping[str, Any]) -> tuple[Person, ...]:
    """Those who were picked, under the names that others see."""
    there: Mapping[str, Any] = data.get("resolved") or {}
    members: Mapping[str, Any] = there.get("members", {})
    return tuple(Person(id, names(user, members.get(id, {}))[0], bool(user.get("bot"))) for id, user in there.get("users", {}).items())


def names(user: Mapping[str, Any], member: Mapping[str, Any]) -> list[str]:
    """All that somebody is called, that which others see first."""
    return [str(one) for one in (member.get("nick"), user.get("global_name"), user["username"]) if one]
