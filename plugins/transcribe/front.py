"""Answers recordings with what is said in them, and hands on what was said to the bot. How sound becomes words: `model.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from bot import (
    Audio,
    Context,
    Listener,
    Message,
    NoArgs,
    Partial,
    Reply,
    Route,
    Segment,
    Text,
    TextSoFar,
    Tool,
    Transcribe,
    Transcript,
    UserError,
    hookimpl,
)
from plugins.transcribe.config import Config
from plugins.transcribe.settings import Settings

LONGEST_CLIP = 60.0
"""Seconds of one job: short enough that long recordings do not hold up short ones, two of Whisper's own windows."""

SURE = 10.0
"""Seconds of speech from which Whisper tells languages apart reliably; a shorter clip is in the language of the one before."""

NOBODY = "Nobody speaks in this recording."


class Plugin:
    """Writes down what is said."""

    def __init__(self, config: Config) -> None:
        self._longest = config.longest

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Recordings do not wait for one another, so the route is not ordered."""
        return [Listener("recordings", has_sound, self.transcribe)]

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        """For a model that is asked about a recording."""
        return [Tool("transcribe", "Writes down what is said in the voice note that the person sent or replied to.", NoArgs, self.heard)]

    async def heard(self, ctx: Context, args: NoArgs) -> str:
        """The words of the recordings in the message, else in the one that it replies to. Raises UserError where there are none."""
        quoted = ctx.message.reply_to.parts if ctx.message.reply_to else ()
        sounds = [part for part in ctx.message.parts if isinstance(part, Audio)] or [part for part in quoted if isinstance(part, Audio)]
        if not sounds:
            raise UserError("There is no recording: the person has to send one, or to reply to one.")
        return "\n\n".join([written(await self._listen(ctx, sound, ctx.settings)) or NOBODY for sound in sounds])

    async def transcribe(self, ctx: Context) -> Reply | None:
        """One reply for all recordings of the message; silence where the server wants none of them."""
        settings: Settings = ctx.settings
        sounds = [part for part in ctx.message.parts if isinstance(part, Audio) and wanted(part, settings)]
        heard = [await self._listen(ctx, sound, settings) for sound in sounds]
        said = "\n".join(one.text for one in heard if one.segments) if settings.forward else ""
        await _hand_on(ctx, said)
        return Reply("\n\n".join(written(one) or NOBODY for one in heard)) if heard else None

    async def _listen(self, ctx: Context, sound: Audio, settings: Settings) -> Transcript:
        longest = min(settings.longest, self._longest)
        check_length(sound.seconds, longest)
        clips = await ctx.clips(sound, longest=LONGEST_CLIP, total=longest)
        whole = Transcript(language=settings.language or "", seconds=0.0, segments=(), model="")
        for clip in clips:
            known = whole.language if settings.language or clip.seconds < SURE else ""
            job = Transcribe(audio=clip.audio, language=known or None)
            part = await ctx.stream(job, partial(shown, whole))
            whole = joined(whole, part, clip.start)
        return whole


async def _hand_on(ctx: Context, said: str) -> None:
    """To whoever answers here: what was said to the bot, and what else the message holds, which others leave to this plugin."""
    others = tuple(part for part in ctx.message.parts if not isinstance(part, Audio))
    if ctx.message.addressed and (others or said):
        await ctx.forward(replace(ctx.message, parts=(*others, Text(said)) if said else others))


def has_sound(message: Message) -> bool:
    """Whether there is anything to listen to."""
    return any(isinstance(part, Audio) for part in message.parts)


def wanted(sound: Audio, settings: Settings) -> bool:
    """Whether the server wants this kind of recording as text."""
    return settings.voice_notes if sound.voice else settings.audio_files


def check_length(seconds: float, longest: float) -> None:
    """Raises UserError for a recording that says of itself that it is too long; `ctx.clips` finds out those that lie."""
    if seconds > longest:
        raise UserError(f"This recording is {clock(seconds)} long; here I write down at most {clock(longest)}.")


def joined(before: Transcript, part: Transcript, start: float) -> Transcript:
    """The transcript so far and that of the next clip, which begins `start` seconds into the recording."""
    moved = tuple(_moved(segment, start) for segment in part.segments)
    language = part.language if moved else before.language
    return Transcript(language=language, seconds=start + part.seconds, segments=before.segments + moved, model=part.model)


def _moved(segment: Segment, by: float) -> Segment:
    words = tuple(word.model_copy(update={"start": word.start + by, "end": word.end + by}) for word in segment.words)
    return segment.model_copy(update={"start": segment.start + by, "end": segment.end + by, "words": words})


def shown(before: Transcript, now: Partial) -> Reply | None:
    """What the chat sees while a clip is worked on."""
    if not isinstance(now, TextSoFar) or not now.text.strip():
        return None
    return Reply("\n\n".join(filter(None, (written(before), f"{now.text.strip()} …"))))


def written(transcript: Transcript) -> str:
    """The words; those of a long recording in paragraphs of about a minute, each with the time at which it begins."""
    if transcript.seconds <= LONGEST_CLIP:
        return transcript.text
    return "\n\n".join(
        f"[{clock(part[0].start)}] {' '.join(segment.text.strip() for segment in part)}" for part in paragraphs(transcript.segments)
    )


def paragraphs(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments, a new list with the first one that begins a minute or more after its list began."""
    found: list[list[Segment]] = []
    for segment in segments:
        if not found or segment.start - found[-1][0].start >= LONGEST_CLIP:
            found.append([])
        found[-1].append(segment)
    return found


def clock(seconds: float) -> str:
    """Minutes and seconds, as on a player: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
