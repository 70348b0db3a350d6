"""A recording in a chat, and the plugin's front half behind a scripted context."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot import Address, Attachment, Audio, Blob, Clip, Context, Message, Person, Quote, Reply, Segment, Text, Transcribe, Transcript, Word
from bot.catalogue import load
from bot.messages import Part, Trigger
from bot.messages import Said as Typed
from bot.testing import Scripted, ScriptedActs
from plugins.transcribe.config import Config
from plugins.transcribe.front import Plugin
from plugins.transcribe.settings import Settings
from plugins.transcribe.transcripts import NOTHING, Whole, joined

ALICE, BOB = Person("1", "Alice"), Person("2", "Bob")
LOBBY = Address("room", "lobby", "lobby")


def recording(id: str = "v", *, voice: bool = True, seconds: float = 0.0) -> Audio:
    return Audio(Attachment(id, "audio/ogg", 10), voice=voice, seconds=seconds)


def sent(
    *sounds: Audio,
    addressed: bool = False,
    text: str = "",
    by: Person = ALICE,
    reply_to: Quote | None = None,
    trigger: Trigger = Typed(),
    language: str = "en",
) -> Message:
    parts: tuple[Part, ...] = (Text(text), *sounds) if text else sounds
    return Message("m1", "m1/0", LOBBY, by, parts, trigger, at=5.0, me="9", addressed=addressed, reply_to=reply_to, language=language)


def transcript(*said: str, language: str = "en", seconds: float = 10.0, sure: float = 0.9) -> Transcript:
    """Each sentence takes two seconds; of every word the model is equally sure."""
    segments = tuple(
        Segment(start=2.0 * at, end=2.0 * at + 2.0, text=text, words=words(text, 2.0 * at, sure)) for at, text in enumerate(said)
    )
    return Transcript(language=language, seconds=seconds, segments=segments, model="whisper-base")


def whole(*parts: Transcript) -> Whole:
    """One after the other."""
    made = NOTHING
    for part in parts:
        made = joined(made, part, made.seconds)
    return made


def words(text: str, start: float, sure: float) -> tuple[Word, ...]:
    """Evenly spread over two seconds."""
    found = text.split()
    step = 2.0 / len(found)
    return tuple(Word(start=start + at * step, end=start + (at + 1) * step, text=word, probability=sure) for at, word in enumerate(found))


def cut(*lengths: float) -> list[Clip]:
    return [Clip(Blob(f"clip-{at}", "audio/flac", 10), sum(lengths[:at]), length) for at, length in enumerate(lengths)]


def scripted(*script: Scripted, clips: list[Clip] | None = None) -> ScriptedActs:
    acts = ScriptedActs(*script)
    acts.cut["v"] = clips or cut(10.0)
    return acts


def plugin() -> Plugin:
    return Plugin(Config(longest=1800), load())


def context(message: Message, acts: ScriptedActs, **settings: Any) -> Context:
    """By default as in a room, where all recordings are written down."""
    return Context(message, Settings(**{"policy": "always", **settings}), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)


async def outcome(message: Message, acts: ScriptedActs, **settings: Any) -> Reply | None:
    return await plugin().noticed(context(message, acts, **settings))


async def written(message: Message, acts: ScriptedActs, **settings: Any) -> str:
    reply = await outcome(message, acts, **settings)
    assert reply is not None
    return reply.text


def asked(acts: ScriptedActs) -> list[Transcribe]:
    return [job for job in acts.jobs if isinstance(job, Transcribe)]
