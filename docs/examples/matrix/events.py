"""What comes over Matrix's wire as Messages, and posts as what goes over it: facts alone. When: `connector.py`."""

from __future__ import annotations

import time
from typing import Any

import nio
from markdown_it import MarkdownIt

from bot import (
    Address,
    Attachment,
    Audio,
    Clicked,
    Deleted,
    File,
    Image,
    Joined,
    Left,
    Message,
    Part,
    Person,
    Post,
    Quote,
    Reacted,
    Said,
    Text,
    typed_command,
)

Json = dict[str, Any]

NAME = "matrix"

BUTTON = "hobnob.button"
"""Where a reaction of the bot has the id of the button that it is."""

FILES = {"m.image": Image, "m.audio": Audio, "m.video": File, "m.file": File}


def room_of(to: Address) -> str:
    """The id of the room."""
    return to.channel if to.direct else to.server


def arrival(room: nio.MatrixRoom, event: nio.Event, me: str, quoted: nio.Event | None, *, found: bool) -> Message | None:
    """What happened, None for what is no business of the bot; `found` in the history of the room."""
    content, relation = event.source.get("content", {}), event.source.get("content", {}).get("m.relates_to", {})
    match event:
        case nio.RedactionEvent():
            return _message(room, event, me, id=event.redacts, trigger=Deleted(event.redacts))
        case nio.ReactionEvent():
            return _message(room, event, me, trigger=Reacted(event.key), reply_to=Quote(event.reacts_to, Person(me, me, bot=True)))
        case nio.RoomMessage() if not isinstance(event, nio.RoomMessageNotice):
            edits = relation.get("event_id") if relation.get("rel_type") == "m.replace" else None
            new = content.get("m.new_content", content) if edits else content
            text = _unquoted(_words(new)) if "m.in_reply_to" in relation else _words(new)
            said = Said(event.server_timestamp if edits else 0, edits or "", found)
            command = None if edits else typed_command(text, me[1:].partition(":")[0])
            mentioned = new.get("m.mentions", {}).get("user_ids", [])
            return _message(
                room,
                event,
                me,
                id=edits or event.event_id,
                parts=(*([Text(text)] if text else []), *_files(new)),
                trigger=command or said,
                mentions=tuple(Person(id, room.user_name(id) or id, bot=id == me) for id in mentioned),
                reply_to=None if quoted is None else _quote(room, quoted, me),
            )
    return None


def clicked(room: nio.MatrixRoom, event: nio.ReactionEvent, me: str, button: str) -> Message:
    """Somebody reacted as the bot did, which is how a button is pressed here."""
    return _message(room, event, me, trigger=Clicked(button), reply_to=Quote(event.reacts_to, Person(me, me, bot=True)))


def joined(room: str) -> Message:
    """Somebody has invited the bot."""
    return _alone(room, Joined(new=True))


def left(room: str) -> Message:
    """It is there no more."""
    return _alone(room, Left())


def crown(room: nio.MatrixRoom, made: nio.RoomCreateEvent) -> None:
    """From version 12 on those who made a room stand above its power levels, which may not name them."""
    if made.room_version.isdecimal() and int(made.room_version) >= 12:
        creators = (made.sender, *made.source["content"].get("additional_creators", ()))
        room.power_levels.users |= dict.fromkeys(creators, 100)


def _alone(room: str, trigger: Any) -> Message:
    return Message("", f"{room}:{trigger.kind}:{time.time()}", Address(NAME, room, "main"), Person("", ""), trigger=trigger, at=time.time())


def _message(room: nio.MatrixRoom, event: nio.Event, me: str, *, id: str = "", **facts: Any) -> Message:
    level, direct = room.power_levels.get_user_level(event.sender), room.member_count <= 2
    relation = event.source.get("content", {}).get("m.relates_to", {})
    thread = str(relation["event_id"]) if relation.get("rel_type") == "m.thread" else ""
    address = Address(NAME, event.sender, room.room_id, thread, True) if direct else Address(NAME, room.room_id, "main", thread)
    return Message(
        id or event.event_id,
        event.event_id,
        address,
        Person(event.sender, room.user_name(event.sender) or event.sender),
        at=event.server_timestamp / 1000,
        me=me,
        manages=direct or level >= 100,
        moderates=level >= 50,
        place=room.display_name,
        **facts,
    )


def _words(content: Json) -> str:
    """Of a file only what is no name of it."""
    body = str(content.get("body", ""))
    return body if "url" not in content or content.get("filename", body) != body else ""


def _files(content: Json) -> list[Part]:
    if content.get("msgtype") not in FILES or "url" not in content:
        return []
    info, name = content.get("info", {}), str(content.get("filename", content["body"]))
    source = Attachment(content["url"], info.get("mimetype", "application/octet-stream"), info.get("size", 0), name)
    if FILES[content["msgtype"]] is Audio:
        return [Audio(source, voice="org.matrix.msc3245.voice" in content, seconds=info.get("duration", 0) / 1000)]
    return [FILES[content["msgtype"]](source)]


def _quote(room: nio.MatrixRoom, event: nio.Event, me: str) -> Quote:
    name = room.user_name(event.sender) or event.sender
    body = str(event.source.get("content", {}).get("body", ""))
    return Quote(event.event_id, Person(event.sender, name, bot=event.sender == me), (Text(body),) if body else ())


def _unquoted(body: str) -> str:
    """Without the lines that older programs repeat of what they reply to."""
    lines = body.splitlines()
    while lines and lines[0].startswith("> "):
        del lines[0]
    return "\n".join(lines).strip()


def written(post: Post, file: str = "") -> Json:
    """The content of an event, which mentions nobody; with the `file`'s address its text is a caption."""
    html = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(post.text).strip()
    text = {"msgtype": "m.text", "body": post.text, "format": "org.matrix.custom.html", "formatted_body": html, "m.mentions": {}}
    if not file:
        return text
    (upload,) = post.uploads
    kind = next((kind for kind in ("image", "audio", "video") if upload.mime.startswith(f"{kind}/")), "file")
    facts = {"msgtype": f"m.{kind}", "filename": upload.name, "url": file, "info": {"mimetype": upload.mime, "size": len(upload.content)}}
    return {**text, **facts} if post.text else {**facts, "body": upload.name, "m.mentions": {}}
