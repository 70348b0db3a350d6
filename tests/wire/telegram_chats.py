"""The people and chats of the Telegram of the tests, and what people do in them. What bots may do: `telegram_methods.py`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.connectors.telegram.styled import JOINER, WIDE_AT
from tests.wire.telegram_rules import Json, units

ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
SPOTTED = re.compile(r"(?<!\S)(?:(?P<bot_command>/\w{1,64}(?:@\w+)?)|(?P<mention>@\w{4,}))")


def person(id: int, name: str, language: str = "en") -> Json:
    """Somebody with an account."""
    return {"id": id, "is_bot": False, "first_name": name, "language_code": language}


@dataclass
class Chat:
    """A chat as the platform keeps it; `bot` is the bot's rank in it."""

    info: Json
    members: dict[int, str] = field(default_factory=dict)
    bot: str = "member"
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    drafts: dict[int, list[Json]] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    moved: int = 0

    @property
    def id(self) -> int:
        """Positive for a person, negative for a group, from -100… for a supergroup."""
        return int(self.info["id"])

    @property
    def direct(self) -> bool:
        """A person alone with the bot."""
        return bool(self.info["type"] == "private")

    @property
    def said(self) -> list[str]:
        """What the bot said and has not deleted, in order."""
        return [str(message.get("text", message.get("caption", ""))) for message in self.mine]

    @property
    def mine(self) -> list[Json]:
        """The bot's messages, in order."""
        return [message for message in self.messages.values() if message["from"].get("username") == "hobnob_bot"]


class Chats:
    """Everything that is said; `tell` takes updates for the bot, `bot` is its account."""

    def __init__(self, bot: Json, tell: Callable[[Json], None]) -> None:
        self.bot = bot
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.clicks: dict[str, float] = {}
        self._tell = tell
        self._last_message = 100
        self._last_file = 0

    def direct(self, user: Json) -> Chat:
        """The person's chat with the bot."""
        info = {"id": user["id"], "type": "private", "first_name": user["first_name"]}
        return self.chats.setdefault(user["id"], Chat(info, {user["id"]: "member"}))

    def group(self, id: int, title: str, *, kind: str = "supergroup", forum: bool = False, admins: Sequence[Json] = ()) -> Chat:
        """A group; everybody who writes in it becomes a member."""
        info: Json = {"id": id, "type": kind, "title": title}
        if forum:
            info["is_forum"] = True
        return self.chats.setdefault(id, Chat(info, {admin["id"]: "administrator" for admin in admins}))

    def topic(self, chat: Chat, name: str) -> int:
        """Opens a topic of a forum."""
        id = self._id()
        chat.topics[id] = name
        return id

    def say(self, chat: Chat, who: Json, text: str = "", **more: Any) -> Json:
        """A person writes; `topic` and `reply_to` say where, everything else is put on the message as it is."""
        if (topic := more.get("topic")) and more.get("reply_to") is None:  # what answers nothing answers the topic's beginning
            opened = {"message_id": topic, "date": 1, "chat": chat.info, "from": who, "message_thread_id": topic, "is_topic_message": True}
            more["reply_to"] = {**opened, "forum_topic_created": {"name": chat.topics[topic], "icon_color": 7322096}}
        message = self.compose(chat, who, text, **more)
        chat.members.setdefault(who["id"], "member")
        if self._sees(chat, message):
            self._tell({"message": message})
        return message

    def compose(self, chat: Chat, who: Json, text: str = "", *, topic: int = 0, reply_to: Json | None = None, **more: Any) -> Json:
        """A message in the chat; nobody is told of it."""
        message: Json = {"message_id": self._id(), "date": int(time.time()), "chat": chat.info, "from": who, **more}
        if topic:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = {key: value for key, value in reply_to.items() if key != "reply_to_message"}
            if "message_thread_id" not in message and not chat.direct:  # a chain of replies, also in the General topic
                message["message_thread_id"] = reply_to.get("message_thread_id", reply_to["message_id"])
        if text:
            captioned = any(key in message for key in ("photo", "voice", "audio", "video", "document", "video_note"))
            name, entities = ("caption", "caption_entities") if captioned else ("text", "entities")
            message[name] = text
            if found := message.pop("marked", []) + spotted(text):
                message[entities] = found
        chat.messages[message["message_id"]] = message
        return message

    def edit(self, chat: Chat, message: Json, text: str) -> None:
        """Its author changes a message."""
        date = max(int(time.time()), message.get("edit_date", 0))
        changed = {**message, "text": text, "edit_date": date} | ({"entities": found} if (found := spotted(text)) else {})
        chat.messages[message["message_id"]] = changed
        if self._sees(chat, changed):
            self._tell({"edited_message": changed})

    def click(self, chat: Chat, who: Json, message: Json, label: str) -> str:
        """A person presses a button under a message; returns the query's id."""
        keys = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
        data = next(button["callback_data"] for button in keys if button["text"] == label)
        id = f"q{self._id()}"
        self.clicks[id] = time.monotonic()
        self._tell({"callback_query": {"id": id, "from": who, "message": message, "chat_instance": "1", "data": data}})
        return id

    def album(self, chat: Chat, who: Json, names: Sequence[str], text: str = "") -> list[Json]:
        """Several pictures at once; the words are under the first."""
        together = {"media_group_id": f"g{self._id()}"}
        parts = [{"photo": self.photo(name.encode())} for name in names]
        return [self.say(chat, who, text if number == 0 else "", **part, **together) for number, part in enumerate(parts)]

    def react(self, chat: Chat, who: Json, message: Json, emoji: str) -> None:
        """A person puts an emoji on a message; bots hear of it where they are administrators, and alone with somebody."""
        if chat.direct or chat.bot == "administrator":
            new = [{"type": "emoji", "emoji": emoji}]
            where = {"chat": chat.info, "message_id": message["message_id"], "date": int(time.time())}
            self._tell({"message_reaction": {**where, "user": who, "old_reaction": [], "new_reaction": new}})

    def migrate(self, chat: Chat) -> Chat:
        """A group becomes a supergroup."""
        new = self.group(-1000000000000 + chat.id, chat.info["title"])
        new.members = dict(chat.members)
        chat.moved = new.id
        who = {"message_id": self._id(), "date": int(time.time()), "chat": chat.info, "from": ANONYMOUS}
        self._tell({"message": {**who, "migrate_to_chat_id": new.id}})
        self._tell({"message": {**who, "message_id": self._id(), "chat": new.info, "migrate_from_chat_id": chat.id}})
        return new

    def promote(self, chat: Chat, status: str) -> None:
        """The bot becomes `administrator`, `member` or `left`."""
        before, chat.bot = chat.bot, status
        old, new = ({"user": self.bot, **member(one)} for one in (before, status))
        self._tell(
            {
                "my_chat_member": {
                    "chat": chat.info,
                    "from": ANONYMOUS,
                    "date": int(time.time()),
                    "old_chat_member": old,
                    "new_chat_member": new,
                }
            }
        )

    def photo(self, content: bytes) -> list[Json]:
        """A picture in two sizes; the larger holds the bytes."""
        small, large = self.file(content[:8]), self.file(content)
        return [{**small, "width": 90, "height": 90}, {**large, "width": 800, "height": 800}]

    def voice(self, content: bytes, seconds: int = 1) -> Json:
        """A voice note."""
        return {**self.file(content), "duration": seconds, "mime_type": "audio/ogg"}

    def file(self, content: bytes) -> Json:
        """Keeps bytes where bots find them."""
        self._last_file += 1
        id = f"F{self._last_file}"
        self.files[id] = content
        return {"file_id": id, "file_unique_id": f"U{id}", "file_size": len(content)}

    def _sees(self, chat: Chat, message: Json) -> bool:
        """What privacy mode lets a bot see."""
        if chat.direct or chat.bot == "administrator" or self.bot["can_read_all_group_messages"]:
            return True
        text = str(message.get("text", message.get("caption", "")))
        replied = message.get("reply_to_message", {}).get("from", {}).get("id") == self.bot["id"]
        return bool(replied or text.startswith("/") or f"@{self.bot['username']}".lower() in text.lower())

    def _id(self) -> int:
        self._last_message += 1
        return self._last_message

    next_id = _id


def topic_of(message: Json) -> int:
    """The topic that a message stands in; 0 for none, and for General."""
    return int(message["message_thread_id"]) if message.get("is_topic_message") else 0


def spotted(text: str) -> list[Json]:
    """The commands and mentions that a client marks."""
    found = []
    for match in SPOTTED.finditer(text):
        kind = str(match.lastgroup)
        found.append({"type": kind, "offset": units(text[: match.start(kind)]), "length": units(match[kind])})
    return found


def member(status: str) -> Json:
    """The fields that a membership of this status has beside its user."""
    if status == "administrator":
        rights = ("manage_chat", "delete_messages", "manage_video_chats", "restrict_members", "promote_members", "change_info")
        stories = ("invite_users", "post_stories", "edit_stories", "delete_stories")
        return {"status": status, "can_be_edited": False, "is_anonymous": False, **{f"can_{one}": True for one in rights + stories}}
    return {"status": status, "is_anonymous": False} if status == "creator" else {"status": status}


def words(message: Json) -> str:
    """What people read of a message, with an @ for what stands in its place so that nobody is mentioned."""
    return str(message.get("text", message.get("caption", ""))).replace(JOINER, "").replace(WIDE_AT, "@")
