"""The objects of a Discord as its API writes them, and the world that holds them. Who may do what with them: `discord_rest.py`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

EPOCH = 1_420_070_400_000
MANAGE_GUILD, MANAGE_MESSAGES, ADMINISTRATOR = 1 << 5, 1 << 13, 1 << 3
EVERYTHING = str((1 << 53) - 1 & ~ADMINISTRATOR & ~MANAGE_GUILD & ~MANAGE_MESSAGES)
EPHEMERAL, VOICE_MESSAGE = 1 << 6, 1 << 13


def now() -> str:
    """A time as Discord writes it."""
    return datetime.now(UTC).isoformat()


def numbered(rows: list[Json]) -> list[Json]:
    """Rows of buttons as Discord gives them back: each part has a number in its message."""
    count = 0
    made = []
    for row in rows:
        count += 1
        parts = [{"disabled": False, **part, "id": count + number} for number, part in enumerate(row["components"], 1)]
        made.append({**row, "id": count, "components": parts})
        count += len(parts)
    return made


def public(message: Json) -> Json:
    """A message without what only this server keeps of it."""
    return {key: value for key, value in message.items() if not key.startswith("_")}


@dataclass
class World:
    """People, guilds, channels and messages, by id. Ids are snowflakes, so newer ones are larger."""

    cdn: str = ""
    count: int = 0
    users: dict[str, Json] = field(default_factory=dict)
    guilds: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, dict[str, Json]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    people: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Who is in which guild."""
    nonces: dict[tuple[str, str], str] = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bot = self.user("Hobnob", bot=True)
        self.application: Json = {
            "id": self.bot["id"],
            "name": "Hobnob",
            "description": "",
            "icon": None,
            "summary": "",
            "type": None,
            "flags": 1 << 19 | 1 << 15,
            "flags_new": str(1 << 19 | 1 << 15),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "hook": True,
            "owner": self.bot,
            "team": None,
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": 1,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
        }

    def id(self) -> str:
        """A new snowflake."""
        self.count += 1
        return str((int(time.time() * 1000) - EPOCH << 22) + self.count)

    def user(self, name: str, *, bot: bool = False) -> Json:
        """Somebody."""
        made: Json = {
            "id": self.id(),
            "username": name.lower(),
            "global_name": name,
            "discriminator": "0",
            "avatar": None,
            "bot": bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }
        self.users[made["id"]] = made
        return made

    def member(self, user: Json, permissions: str = EVERYTHING) -> Json:
        """Somebody in a guild."""
        return {
            "user": user,
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": self.roles.get(user["id"], []),
            "joined_at": now(),
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "premium_since": None,
            "communication_disabled_until": None,
            "permissions": permissions,
        }

    def join(self, guild: Json, *people: Json) -> None:
        """These are in a guild."""
        self.people.setdefault(guild["id"], {}).update({one["id"]: one for one in people})

    def role(self, guild: Json, name: str, *people: Json) -> Json:
        """A role that these have."""
        made = self._role(self.id(), name)
        guild["roles"].append(made)
        self.join(guild, *people)
        for person in people:
            self.roles.setdefault(person["id"], []).append(made["id"])
        return made

    def _role(self, id: str, name: str) -> Json:
        return {
            "id": id,
            "name": name,
            "permissions": EVERYTHING,
            "position": 0,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
            "icon": None,
            "unicode_emoji": None,
        }

    def guild(self, name: str) -> Json:
        """A guild with one text channel."""
        id = self.id()
        made = {
            "id": id,
            "name": name,
            "icon": None,
            "owner_id": self.user(f"{name}-owner")["id"],
            "roles": [self._role(id, "@everyone")],
            "members": [{**self.member(self.bot), "joined_at": "2020-01-01T00:00:00+00:00"}],
            "member_count": 2,
            "channels": [],
            "threads": [],
            "emojis": [],
            "stickers": [],
            "features": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "preferred_locale": "en-US",
            "application_id": None,
            "banner": None,
            "description": None,
            "splash": None,
            "vanity_url_code": None,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "max_video_channel_users": 25,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "afk_channel_id": None,
            "afk_timeout": 300,
            "joined_at": now(),
            "large": False,
            "unavailable": False,
            "lazy": True,
        }
        self.guilds[id] = made
        self.channel(made, "general")
        return made

    def channel(self, guild: Json, name: str) -> Json:
        """A text channel."""
        made: Json = {
            "id": self.id(),
            "type": 0,
            "guild_id": guild["id"],
            "name": name,
            "position": len(guild["channels"]),
            "permission_overwrites": [],
            "nsfw": False,
            "topic": None,
            "parent_id": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "flags": 0,
        }
        guild["channels"].append(made)
        return self._open(made)

    def thread(self, parent: Json, name: str, id: str = "") -> Json:
        """A thread; one of a message has its id."""
        made: Json = {
            "id": id or self.id(),
            "type": 11,
            "guild_id": parent["guild_id"],
            "parent_id": parent["id"],
            "owner_id": self.bot["id"],
            "name": name,
            "last_message_id": None,
            "message_count": 0,
            "total_message_sent": 0,
            "member_count": 1,
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": now(),
                "locked": False,
                "create_timestamp": now(),
            },
        }
        return self._open(made)

    def direct(self, user: Json) -> Json:
        """The channel of two."""
        for channel in self.channels.values():
            if channel["type"] == 1 and channel["recipients"][0]["id"] == user["id"]:
                return channel
        return self._open({"id": self.id(), "type": 1, "recipients": [user], "last_message_id": None, "flags": 0})

    def _open(self, channel: Json) -> Json:
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return channel

    def message(self, channel: Json, author: Json, content: str, **more: Any) -> Json:
        """A message, which stands in its channel from now on."""
        mentioned = [user for user in self.users.values() if f"<@{user['id']}>" in content]
        made: Json = {
            "id": self.id(),
            "channel_id": channel["id"],
            "author": author,
            "content": content,
            "timestamp": now(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": mentioned,
            "mention_roles": [],
            "mention_channels": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            **more,
        }
        self.messages[channel["id"]][made["id"]] = made
        channel["last_message_id"] = made["id"]
        return made

    def attachment(self, channel: Json, name: str, content: bytes, mime: str, **more: Any) -> Json:
        """A file of a message, which the CDN serves."""
        id = self.id()
        path = f"/attachments/{channel['id']}/{id}/{name}"
        self.files[path] = content
        url = f"{self.cdn}{path}?ex=1&is=1&hm=0"
        return {"id": id, "filename": name, "size": len(content), "url": url, "proxy_url": url, "content_type": mime, "flags": 0, **more}
