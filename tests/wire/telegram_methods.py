"""What bots may ask of the Telegram of the tests, method by method. How a call travels: `telegram_server.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.wire.telegram_chats import Chat, Chats, member, topic_of
from tests.wire.telegram_rules import MOST_CAPTION, Json, Pace, Refusal, bad, check_keyboard, check_text, given

CLICK_LASTS = 15.0
"""Seconds in which a click must be answered."""

TOKEN = "123456789:a-token-for-tests-that-is-thirty-five"
MOST_DOWNLOAD = 20_000_000
MOST_UPLOAD = 50_000_000
MOST_PHOTO = 10_000_000
DRAFT_LASTS = 30.0

KINDS = {"sendPhoto": "photo", "sendVoice": "voice", "sendAudio": "audio", "sendDocument": "document", "sendVideo": "video"}

TO = frozenset({"chat_id", "message_thread_id", "disable_notification", "reply_parameters", "reply_markup"})
WORDS = frozenset({"text", "entities", "link_preview_options"})
CAPTION = frozenset({"caption", "caption_entities", "has_spoiler", "duration", "title", "disable_content_type_detection"})
WHICH = frozenset({"chat_id", "message_id", "reply_markup"})

TAKES: dict[str, frozenset[str]] = {
    "getMe": frozenset(),
    "sendMessage": TO | WORDS,
    "sendMessageDraft": frozenset({"chat_id", "message_thread_id", "draft_id", "text", "entities"}),
    **{method: TO | CAPTION | {kind} for method, kind in KINDS.items()},
    "sendMediaGroup": TO - {"reply_markup"} | {"media"},
    "sendChatAction": frozenset({"chat_id", "message_thread_id", "action"}),
    "editMessageText": WHICH | WORDS,
    "editMessageCaption": WHICH | {"caption", "caption_entities"},
    "editMessageMedia": WHICH | {"media"},
    "editMessageReplyMarkup": WHICH,
    "deleteMessage": frozenset({"chat_id", "message_id"}),
    "leaveChat": frozenset({"chat_id"}),
    "answerCallbackQuery": frozenset({"callback_query_id", "text", "show_alert"}),
    "getFile": frozenset({"file_id"}),
    "getChat": frozenset({"chat_id"}),
    "getChatMember": frozenset({"chat_id", "user_id"}),
    "getChatAdministrators": frozenset({"chat_id"}),
    "setMyCommands": frozenset({"commands", "scope", "language_code"}),
    "deleteMyCommands": frozenset({"scope", "language_code"}),
    "getMyCommands": frozenset({"scope", "language_code"}),
}
"""What each method may be given; anything else is refused, where the platform would overlook it."""


class Methods:
    """Carries calls out on the chats. `pace` counts what is sent."""

    def __init__(self, chats: Chats, pace: Pace) -> None:
        self.chats = chats
        self.pace = pace
        self.answered: dict[str, Json] = {}
        self.commands: dict[tuple[str, str, str], list[Json]] = {}
        self.local: Path | None = None
        """The folder of a server that runs with --local: files of any size, by their paths."""

    def call(self, method: str, params: Json, files: dict[str, bytes]) -> Any:
        """The result of a call. Raises Refusal."""
        if unknown := set(params) - TAKES[method]:
            raise bad(f"{method} takes no {', '.join(sorted(unknown))}")
        if method in KINDS:
            return self._send_file(KINDS[method], params, files)
        name = "_" + "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method)
        takes: Callable[..., Any] = getattr(self, name)
        return takes(params, files) if method in ("sendMediaGroup", "editMessageMedia") else takes(params)

    def _get_me(self, call: Json) -> Json:
        return self.chats.bot

    # Sending --------------------------------------------------------------------------------------------------------------

    def _send_message(self, call: Json) -> Json:
        chat = self._open(call)
        check_text(call.get("text", ""), call.get("entities", []))
        return self._add(chat, call, given(call, "text", "entities"))

    def _send_file(self, kind: str, call: Json, files: dict[str, bytes]) -> Json:
        chat = self._open(call)
        check_text(call.get("caption", ""), call.get("caption_entities", []), MOST_CAPTION, empty=True)
        body = self._stored(kind, call.get(kind), files, call)
        return self._add(chat, call, {**body, **given(call, "caption", "caption_entities")})

    def _send_media_group(self, call: Json, files: dict[str, bytes]) -> list[Json]:
        chat = self._open(call)
        media = call["media"]
        if not 2 <= len(media) <= 10:
            raise bad("expected 2 to 10 media in an album")
        kinds = {one["type"] for one in media}
        if len(kinds) > 1 and kinds & {"document", "audio"}:
            raise bad("this type of media can't be mixed with other types in the media group")
        group = f"g{self.chats.next_id()}"
        found = []
        for one in media:
            check_text(one.get("caption", ""), one.get("caption_entities", []), MOST_CAPTION, empty=True)
            body = self._stored(one["type"], one["media"], files, one)
            found.append(self._add(chat, call, {**body, **given(one, "caption", "caption_entities"), "media_group_id": group}))
        return found

    def _send_message_draft(self, call: Json) -> bool:
        chat = self._found(call)
        if not chat.direct:
            raise bad("TEXTDRAFT_PEER_INVALID")
        if not call.get("draft_id"):
            raise bad("DRAFT_ID_INVALID")
        check_text(call.get("text", ""), call.get("entities", []), empty=True)
        self.pace.take(chat.id)
        chat.drafts.setdefault(call["draft_id"], []).append({**call, "at": time.monotonic()})
        return True

    def _send_chat_action(self, call: Json) -> bool:
        self._found(call).actions.append(call["action"])
        return True

    def _add(self, chat: Chat, call: Json, body: Json) -> Json:
        if call.get("reply_markup"):
            check_keyboard(call["reply_markup"])
        topic = call.get("message_thread_id", 0)
        if topic and topic not in chat.topics:
            raise bad("message thread not found")
        reply = call.get("reply_parameters") or {}
        quoted = chat.messages.get(reply.get("message_id", 0))
        if reply and quoted is None and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        if quoted and chat.info.get("is_forum") and topic_of(quoted) != topic:
            raise bad("message to be replied is in another topic")
        self.pace.take(chat.id)
        markup = {"reply_markup": call["reply_markup"]} if "inline_keyboard" in call.get("reply_markup", {}) else {}
        message = self.chats.compose(chat, self.chats.bot, topic=topic, reply_to=quoted, **markup, **body)
        if call.get("disable_notification"):
            message["silent"] = True
        return message

    def _stored(self, kind: str, source: object, files: dict[str, bytes], about: Json) -> Json:
        name = str(source).removeprefix("attach://")
        content = files.get(name) if name in files else self.chats.files.get(name)
        if content is None:
            raise bad("wrong file identifier/HTTP URL specified")
        if len(content) > (MOST_PHOTO if kind == "photo" else MOST_UPLOAD):
            raise Refusal(413, "Request Entity Too Large")
        if not content:
            raise bad("file must be non-empty")
        if kind == "photo":
            if not content.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
                raise bad("IMAGE_PROCESS_FAILED")
            hidden: Json = {"has_media_spoiler": True} if about.get("has_spoiler") else {}
            return {"photo": self.chats.photo(content), **hidden}
        more: Json = {"duration": about.get("duration", 1)} if kind in ("voice", "audio", "video") else {}
        return {kind: {**self.chats.file(content), **more}}

    # Changing -------------------------------------------------------------------------------------------------------------

    def _edit_message_text(self, call: Json) -> Json:
        chat, message = self._own(call)
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        check_text(call.get("text", ""), call.get("entities", []))
        return self._change(chat, message, call, {"text": call["text"], "entities": call.get("entities")})

    def _edit_message_caption(self, call: Json) -> Json:
        chat, message = self._own(call)
        check_text(call.get("caption", ""), call.get("caption_entities", []), MOST_CAPTION, empty=True)
        return self._change(chat, message, call, {"caption": call.get("caption"), "caption_entities": call.get("caption_entities")})

    def _edit_message_media(self, call: Json, files: dict[str, bytes]) -> Json:
        chat, message = self._own(call)
        media = call["media"]
        check_text(media.get("caption", ""), media.get("caption_entities", []), MOST_CAPTION, empty=True)
        gone = dict.fromkeys(("text", "entities", "photo", "voice", "audio", "document", "video", "caption", "caption_entities"))
        body = self._stored(media["type"], media["media"], files, media)
        return self._change(chat, message, call, {**gone, **body, **given(media, "caption", "caption_entities")})

    def _edit_message_reply_markup(self, call: Json) -> Json:
        chat, message = self._own(call)
        return self._change(chat, message, call, {})

    def _change(self, chat: Chat, message: Json, call: Json, body: Json) -> Json:
        if call.get("reply_markup"):
            check_keyboard(call["reply_markup"])
        new = {key: value for key, value in {**message, **body, "reply_markup": call.get("reply_markup")}.items() if value is not None}
        if new == message:
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a current content "
                "and reply markup of the message"
            )
        self.pace.take(chat.id)
        chat.messages[message["message_id"]] = new
        return new

    def _delete_message(self, call: Json) -> bool:
        chat = self._open(call)
        if call["message_id"] not in chat.messages:
            raise bad("message to delete not found")
        del chat.messages[call["message_id"]]
        return True

    def _own(self, call: Json) -> tuple[Chat, Json]:
        chat = self._open(call)
        message = chat.messages.get(call["message_id"])
        if message is None:
            raise bad("message to edit not found")
        if message["from"]["id"] != self.chats.bot["id"]:
            raise bad("message can't be edited")
        return chat, message

    # Asking ---------------------------------------------------------------------------------------------------------------

    def _answer_callback_query(self, call: Json) -> bool:
        id = call["callback_query_id"]
        if time.monotonic() - self.chats.clicks.get(id, 0.0) > CLICK_LASTS or id in self.answered:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        self.answered[id] = call
        return True

    def _get_file(self, call: Json) -> Json:
        content = self.chats.files.get(call["file_id"])
        if content is None:
            raise bad("invalid file_id")
        id = call["file_id"]
        if self.local is not None:
            path = self.local / TOKEN / "files" / id
            if self.local.is_dir():  # else it is on another machine
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            return {"file_id": id, "file_unique_id": f"U{id}", "file_size": len(content), "file_path": str(path)}
        if len(content) > MOST_DOWNLOAD:
            raise bad("file is too big")
        return {"file_id": id, "file_unique_id": f"U{id}", "file_size": len(content), "file_path": f"files/{id}"}

    def _get_chat(self, call: Json) -> Json:
        return {**self._found(call).info, "accent_color_id": 0, "max_reaction_count": 1, "accepted_gift_types": GIFTS}

    def _leave_chat(self, call: Json) -> bool:
        self.chats.promote(self._open(call), "left")
        return True

    def _get_chat_member(self, call: Json) -> Json:
        chat, id = self._found(call), call["user_id"]
        if id == self.chats.bot["id"]:
            return {"user": self.chats.bot, **member(chat.bot)}
        return self._membership(chat, id)

    def _get_chat_administrators(self, call: Json) -> list[Json]:
        chat = self._found(call)
        return [self._membership(chat, id) for id, status in chat.members.items() if status in ("creator", "administrator")]

    def _membership(self, chat: Chat, id: int) -> Json:
        said = (message["from"] for message in chat.messages.values() if message["from"]["id"] == id)
        return {"user": next(said, {"id": id, "is_bot": False, "first_name": "Somebody"}), **member(chat.members.get(id, "left"))}

    def _set_my_commands(self, call: Json) -> bool:
        if len(call["commands"]) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for one in call["commands"]:
            if not one["command"].isascii() or one["command"] != one["command"].lower() or not 1 <= len(one["command"]) <= 32:
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(one["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._scope(call)] = call["commands"]
        return True

    def _delete_my_commands(self, call: Json) -> bool:
        self.commands.pop(self._scope(call), None)
        return True

    def _get_my_commands(self, call: Json) -> list[Json]:
        return self.commands.get(self._scope(call), [])

    def _scope(self, call: Json) -> tuple[str, str, str]:
        scope = call.get("scope") or {"type": "default"}
        if "chat_id" in scope:
            self._found(scope)
        return scope["type"], str(scope.get("chat_id", "")), call.get("language_code", "")

    def _open(self, call: Json) -> Chat:
        """The chat, in which the bot may write."""
        chat = self._found(call)
        if chat.moved:
            raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved)
        if chat.bot in ("left", "kicked"):
            place = "user" if chat.direct else chat.info["type"]
            raise Refusal(403, f"Forbidden: bot was {'blocked by the user' if chat.direct else f'kicked from the {place} chat'}")
        return chat

    def _found(self, call: Json) -> Chat:
        chat = self.chats.chats.get(int(call["chat_id"]))
        if chat is None:
            raise bad("chat not found")
        return chat


GIFTS = dict.fromkeys(("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False)
