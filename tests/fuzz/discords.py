"""Messages as Discord never sends them; whatever discord.py makes of them becomes one that a ticket can keep. See `targets.py`."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import discord
from hypothesis import strategies as st

from bot.connectors.discord.incoming import said
from bot.messages import message_json

PERSON = {"id": "5", "username": "ann", "global_name": "Ann", "discriminator": "0", "avatar": None}

GUILD = {
    "id": "1",
    "name": "Lounge",
    "preferred_locale": "en-US",
    "roles": [{"id": "1", "name": "@everyone", "permissions": "0", "position": 0, "color": 0, "hoist": False, "mentionable": False}],
    "channels": [{"id": "2", "type": 0, "name": "talk", "position": 0, "permission_overwrites": []}],
    "members": [],
}

FILE = {"id": "8", "filename": "a.ogg", "size": 5, "url": "http://x/a.ogg", "proxy_url": "http://x/a.ogg", "content_type": "audio/ogg"}

GOOD: dict[str, Any] = {
    "id": "7",
    "channel_id": "2",
    "author": PERSON,
    "content": "good",
    "timestamp": "2026-01-01T00:00:00+00:00",
    "edited_timestamp": None,
    "mention_everyone": False,
    "tts": False,
    "pinned": False,
    "type": 0,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
}

TEXT = st.text(max_size=10) | st.lists(
    st.sampled_from(["<@5>", "<@!9>", "<#2>", "<@&1>", "@everyone", " ", "a", "/", "\u202e", "audio/ogg", "1"])
).map("".join)


def _odd(value: Any) -> st.SearchStrategy[Any]:
    """Something of the kind that Discord documents there, but not what."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.integers(-(1 << 70), 1 << 70)
        case float():
            return st.floats(allow_nan=False, allow_infinity=False)
        case str() if value.isdecimal():
            return st.integers(0, 1 << 64).map(str)
        case str() if value == GOOD["timestamp"]:
            return st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
        case str():
            return TEXT
    return st.none() | TEXT


def _like(good: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The same with some of its fields otherwise."""
    return st.fixed_dictionaries({}, optional={name: _odd(value) for name, value in good.items()}).map(lambda odd: good | odd)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{name: _odd(value) for name, value in GOOD.items() if not isinstance(value, list)},
    "author": _like(PERSON | {"bot": True}),
    "attachments": st.lists(_like(FILE | {"duration_secs": 1.5, "description": "d", "flags": 0}), max_size=2),
    "mentions": st.lists(_like(PERSON), max_size=2),
    "edited_timestamp": st.none() | _odd(GOOD["timestamp"]),
    "mention_roles": st.lists(_odd("1"), max_size=2),
    "message_reference": _like({"message_id": "6", "channel_id": "2", "guild_id": "1", "type": 0}),
    "referenced_message": st.none() | _like(GOOD),
    "message_snapshots": st.lists(st.fixed_dictionaries({"message": _like(GOOD | {"attachments": [FILE]})}), max_size=2),
    "webhook_id": st.none() | _odd("1"),
    "flags": st.integers(),
}

MESSAGE = st.fixed_dictionaries({}, optional=FIELDS).map(json.dumps)


@cache
def _state() -> tuple[Any, Any]:
    """discord.py's own memory of one guild, and its channel."""
    state: Any = discord.Client(intents=discord.Intents.none())._connection
    state.user = discord.ClientUser(state=state, data=PERSON | {"id": "9", "bot": True})  # type: ignore[arg-type]
    guild = discord.Guild(data=GUILD, state=state)  # type: ignore[arg-type]
    state._add_guild(guild)
    return state, guild.get_channel(2)


def message(text: str) -> None:
    """What discord.py does not understand never comes to us."""
    state, channel = _state()
    made = None
    with suppress(Exception):
        made = discord.Message(state=state, channel=channel, data=GOOD | json.loads(text))
    if made is not None:
        read = said(made, state.user)
        assert message_json.validate_json(message_json.dump_json(read)) == read
