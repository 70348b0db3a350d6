"""Which recordings become text, and when. How sound becomes words: `listening.py`, and `model.py` in the worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot import (
    Audio,
    Catalogue,
    Command,
    Context,
    File,
    Image,
    JobError,
    Listener,
    Message,
    NoArgs,
    Person,
    Reaction,
    Refused,
    Reply,
    Route,
    Said,
    Text,
    Tool,
    UserError,
    hookimpl,
    tr,
    translated,
)
from plugins.transcribe.after import After
from plugins.transcribe.choosing import NOTICES, Choosing
from plugins.transcribe.config import Config, voices
from plugins.transcribe.kept import Kept
from plugins.transcribe.languages import NAMES
from plugins.transcribe.listening import Wish, listen
from plugins.transcribe.notes import Note, calls, of_message, of_quote
from plugins.transcribe.settings import Settings
from plugins.transcribe.transcripts import Whole, plain
from plugins.transcribe.writing import NOBODY, reply, text_of

PATIENCE = 900.0
"""Seconds that the tool has: as long as a recording may be where an admin allows no more, for those who wait in line on a slow machine."""

PEOPLE = 1_000
"""Tokens of the conversation in which names are looked for."""


def _language(name: str) -> str:
    """The code of a language by its name or code; "" stays."""
    wanted = name.strip().lower()
    found = next((code for code, known in NAMES.items() if wanted in (code, known.lower())), None)
    if wanted and found is None:
        raise ValueError(tr("expected a language that Whisper knows, such as English, de or Chinese, found “{name}”", name=name))
    return found or ""


class TranscribeArgs(BaseModel):
    """What `/transcribe` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    into: Annotated[str, Field(max_length=40, pattern=r"^[^\n:]*$")] = ""
    """Also translate the text into this language."""

    spoken: Annotated[str, AfterValidator(_language)] = ""
    """The language that is spoken, where it was taken for another one."""


class Plugin:
    """Writes down what is said."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config = config
        listening = voices(config, catalogue)
        self._voices = listening.name if listening else ""
        self._kept = Kept()
        self._choosing = Choosing(self._kept)
        self._after = After(self._again, self._in_english, catalogue)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Recordings do not wait for one another, so no route is ordered."""
        return [
            Listener("recordings", has_sound, self.noticed),
            Command(
                "transcribe",
                "Write down the recording you reply to.",
                TranscribeArgs,
                self.demanded,
                menu=True,
                example="/transcribe --into German",
            ),
            Reaction("write", "\u270d", self.reacted),
            Reaction("write it", "\u270d\ufe0f", self.reacted),  # the same sign, as most keyboards send it
            *self._choosing.routes(),
            *self._after.routes(),
        ]

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        """For a model that is asked about a recording."""
        words = "Writes down what is said in the voice note that the person sent or replied to, else in the last one of this chat."
        return [Tool("transcribe", words, NoArgs, self.told, timeout=PATIENCE)]

    async def told(self, ctx: Context, args: NoArgs) -> str:
        """The words of the recordings in the message, else in the one that it replies to, else in the chat's last.

        Raises UserError where there are none or nobody speaks, Refused where they are not to be listened to.
        """
        note = of_message(ctx.message) or of_quote(ctx.message.reply_to) or await self._kept.last(ctx)
        if note is None:
            raise UserError(tr("There is no recording: the person has to send one, or to reply to one."))
        if not (said := text_of(await self._again(ctx, note))):
            raise UserError(translated(NOBODY))  # told as a fault: nobody takes it for words that were said
        return said

    async def noticed(self, ctx: Context) -> Reply | None:
        """A message with recordings: what becomes of it follows from the chat's policy and its sender's will."""
        settings: Settings = ctx.settings
        note = of_message(ctx.message)
        assert note is not None, "the route takes messages with recordings"
        wanted = note.model_copy(update={"sounds": tuple(sound for sound in note.sounds if sound.voice or settings.audio_files)})
        if settings.policy == "off" or not wanted.sounds or await self._kept.out(ctx, ctx.person):
            await self._hand_on(ctx, "")
            return None
        if ctx.message.addressed:
            return await self._written_down(ctx, wanted, answered=True)
        if not ctx.address.direct and await self._kept.first(ctx, settings.policy):
            await ctx.reply(Reply(translated(NOTICES[settings.policy]), silent=True))
        match settings.policy:
            case "always":
                return await self._around(ctx, wanted)
            case "addressed":
                return await self._overheard(ctx, wanted)
        await self._kept.put(ctx, note)
        return None

    async def _around(self, ctx: Context, note: Note) -> Reply | None:
        """What is said to others. Of a video in which nobody speaks, or that cannot be heard, nothing is said: it was sent to be seen."""
        shown = all(not sound.voice and sound.source.mime.startswith("video/") for sound in note.sounds)
        try:
            return await self._written_down(ctx, note, silent=shown)
        except UserError:
            if shown:
                return None
            raise

    async def _written_down(self, ctx: Context, note: Note, *, answered: bool = False, silent: bool = False) -> Reply | None:
        edited = isinstance(ctx.message.trigger, Said) and ctx.message.trigger.version > 0
        kept = await self._kept.text(ctx, note) if edited else None
        heard = kept or await self._heard(ctx, note, quiet=not answered)
        said = _said(heard)
        if answered:
            await self._hand_on(ctx, said if ctx.settings.forward else "")
        else:
            await self._remembered(ctx, note, said)
        return None if kept or (silent and not said) else await self._reply(ctx, note, heard)

    async def _overheard(self, ctx: Context, note: Note) -> Reply | None:
        """Shown and answered when the bot's name is in it; else nobody learns that it was listened to, except who reads along."""
        try:
            heard = await self._heard(ctx, note, unseen=True)
        except (UserError, JobError):
            return None
        said = _said(heard)
        if not calls(said, ctx.settings.names):
            await self._kept.put(ctx, note)
            await self._remembered(ctx, note, said)
            return None
        if ctx.settings.forward:
            me = Person(ctx.message.me, ctx.settings.names[0], bot=True)
            await ctx.forward(replace(ctx.message, parts=(*_others(ctx.message), Text(said)), mentions=(*ctx.message.mentions, me)))
        return await self._reply(ctx, note, heard)

    async def demanded(self, ctx: Context, args: TranscribeArgs) -> Reply | str:
        """The recording that somebody points at, or has sent with the command."""
        note = of_quote(ctx.message.reply_to) or of_message(ctx.message) or await self._kept.find(ctx, ctx.message.reply_to)
        if note is None:
            return tr("Reply to a voice note, a sound file or a video with /transcribe, and I write down what is said in it.")
        await self._may(ctx, note)
        kept = None if args.spoken else await self._kept.text(ctx, note)
        heard = kept or await self._heard(ctx, note, spoken=args.spoken)
        if kept is None and not ctx.address.direct:
            await self._remembered(ctx, note, _said(heard))
        if args.into and any(one.parts for one in heard):
            return await self._after.translated(ctx, text_of(heard), args.into)
        return await self._reply(ctx, note, heard)

    async def reacted(self, ctx: Context) -> Reply | None:
        """The recording under the sign; one that was written down already is left alone."""
        note = of_quote(ctx.message.reply_to) or await self._kept.find(ctx, ctx.message.reply_to)
        if note is None or ctx.settings.policy == "off" or await self._kept.out(ctx, note.sender) or await self._kept.text(ctx, note):
            return None
        heard = await self._heard(ctx, note)
        if not ctx.address.direct:
            await self._remembered(ctx, note, _said(heard))
        return await self._reply(ctx, note, heard)

    async def _may(self, ctx: Context, note: Note) -> None:
        if ctx.settings.policy == "off":
            raise Refused(tr("Recordings are not written down here. An admin of this server can change that."))
        if await self._kept.out(ctx, note.sender):
            raise Refused(tr("{person} keeps their recordings out, so I do not listen to them.", person=note.sender.name))

    async def _heard(
        self, ctx: Context, note: Note, *, spoken: str = "", interpreter: str = "", quiet: bool = False, unseen: bool = False
    ) -> list[Whole]:
        settings: Settings = ctx.settings
        longest = min(settings.longest, self._config.longest)
        people, subject = await _people(ctx) if settings.people else [], ctx.message.subject if settings.subject else ""
        hints = ", ".join(filter(None, (settings.hints, *people, subject)))
        language = spoken or settings.language or ""
        apart = self._voices if settings.speakers else ""
        wish = Wish(longest, language, hints, interpreter, quiet=quiet, unseen=unseen, voices=apart, script=settings.chinese)
        return await listen(ctx, note.sounds, wish)

    async def _reply(self, ctx: Context, note: Note, heard: list[Whole]) -> Reply:
        note = await self._kept.written(ctx, note, heard)
        usual = await self._kept.usual(ctx, heard)
        return await reply(ctx, heard, usual, await self._after.buttons(ctx, note, heard))

    async def _again(self, ctx: Context, note: Note) -> list[Whole]:
        await self._may(ctx, note)
        return await self._kept.text(ctx, note) or await self._heard(ctx, note)

    async def _in_english(self, ctx: Context, note: Note, model: str) -> list[Whole]:
        await self._may(ctx, note)
        return await self._heard(ctx, note, interpreter=model)

    async def _hand_on(self, ctx: Context, said: str) -> None:
        """To whoever answers here: what was said to the bot, and what else the message holds, which others leave to this plugin."""
        others = _others(ctx.message)
        if ctx.message.addressed and (others or said):
            await ctx.forward(replace(ctx.message, parts=(*others, Text(said)) if said else others))

    async def _remembered(self, ctx: Context, note: Note, said: str) -> None:
        """Handed on as words of whoever spoke them, so that a chat that remembers what is said there remembers this too."""
        if said:
            message = replace(ctx.message, id=note.message, sender=note.sender, parts=(Text(said),), trigger=Said())
            await ctx.forward(replace(message, reply_to=None, mentions=(), addressed=False, manages=False))


def has_sound(message: Message) -> bool:
    """Whether there is anything to listen to."""
    return any(isinstance(part, Audio) for part in message.parts)


def _others(message: Message) -> tuple[Text | Image | File, ...]:
    return tuple(part for part in message.parts if not isinstance(part, Audio))


def _said(heard: Iterable[Whole]) -> str:
    return "\n".join(plain(one.segments, one.language) for one in heard if one.parts)


async def _people(ctx: Context) -> list[str]:
    """Who was heard of lately, without those who go by no name."""
    turns = await ctx.conversation.turns(PEOPLE)
    mentioned = {person.name for person in ctx.message.mentions if not person.bot}
    return sorted({turn.name for turn in turns if turn.name} | {ctx.person.name} | mentioned)
