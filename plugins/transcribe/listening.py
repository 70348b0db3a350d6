"""A recording becomes a transcript: cut into clips of one window each, a few of them worked on at once. Whisper is in `model.py`."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bot import Audio, Clip, Context, JobCancelled, JobError, Partial, Reply, TextSoFar, Transcribe, Transcript, UserError, tr
from plugins.transcribe.chinese import in_script
from plugins.transcribe.jobs import Compare
from plugins.transcribe.settings import Script
from plugins.transcribe.speakers import Speakers
from plugins.transcribe.transcripts import NOTHING, Whole, clock, gap, joined, plain
from plugins.transcribe.writing import BEGINNING, growing

WINDOW = 30.0
"""Seconds of one job: what Whisper takes at once. Short jobs let others' short notes in between."""

AHEAD = 2
"""Clips of a recording that are waiting or worked on at once: more would not be faster, and would fill the line of their person."""

SURE = 10.0
"""Seconds of speech from which Whisper tells languages apart reliably; a shorter clip is in the language of the one before."""


Heard = tuple[Transcript, tuple[tuple[float, ...], ...]]
"""What was said in a clip, and what its segments sound like; nothing where that is not wanted, or fails."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to listen. `longest` in seconds; `language` "" finds it out; `hints` are words to expect; `interpreter` is the model that is to
    translate into English, "" for the words themselves.

    `quiet` shows nothing before there are words, `unseen` nothing at all. `voices` is the model that tells speakers apart, "" for none;
    Chinese comes in that `script`.
    """

    longest: float
    language: str = ""
    hints: str = ""
    interpreter: str = ""
    quiet: bool = False
    unseen: bool = False
    voices: str = ""
    script: Script = "heard"


class Listening:
    """One recording. What was heard of it so far is shown as it grows."""

    def __init__(self, ctx: Context, sound: Audio, wish: Wish, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds."""
        self._ctx = ctx
        self._sound = sound
        self._wish = wish
        self._clock = clock
        self._began = clock()
        self._whole = NOTHING
        self._end = ""
        self._speakers = Speakers()
        self._running: deque[tuple[Clip, asyncio.Task[Heard]]] = deque()
        self._latest: dict[float, str] = {}

    async def transcript(self) -> Whole:
        """Raises UserError for what cannot be heard, JobError where the model fails; then nothing of it is worked on any more."""
        check_length(self._sound.seconds, self._wish.longest)
        try:
            async with self._ctx.clips(self._sound, longest=WINDOW, total=self._wish.longest, ahead=AHEAD) as clips:
                async for clip in clips:
                    if clip.seconds < SURE:
                        await self._finished(leaving=0)
                    self._running.append((clip, asyncio.create_task(self._heard(clip))))
                    await self._finished(leaving=AHEAD - 1)  # asking for the next one lets go of the oldest
                await self._finished(leaving=0)
        finally:
            await self._abandon()
        return self._whole

    async def _finished(self, leaving: int) -> None:
        """Waits until so many clips are left. When that is follows from the clips alone, so a replay asks the same."""
        while len(self._running) > leaving:
            clip, task = self._running[0]
            part, voices = await task
            self._running.popleft()
            self._latest.pop(clip.start, None)
            told = in_script(self._speakers.told_apart(part, voices) if voices else part, self._wish.script)
            self._whole = joined(self._whole, told, clip.start)
            said = filter(None, (self._end, plain(told.segments, told.language)))
            self._end = gap(told.language).join(said)[-2 * BEGINNING :]  # more than is shown, so that it is seen to be an end

    async def _abandon(self) -> None:
        for _, task in self._running:
            task.cancel()
        await asyncio.gather(*(task for _, task in self._running), return_exceptions=True)

    async def _heard(self, clip: Clip) -> Heard:
        wish = self._wish
        known = wish.language or (self._whole.language if clip.seconds < SURE else "")
        by = wish.interpreter or None
        job = Transcribe(audio=clip.audio, language=known or None, translate=by is not None, words=True, hints=wish.hints, model=by)
        heard = await self._ctx.stream(job, lambda partial: self._shown(clip, partial), quiet=wish.quiet or wish.unseen or clip.start > 0.0)
        return heard, await self._voices(clip, heard) if wish.voices and heard.segments else ()

    async def _voices(self, clip: Clip, heard: Transcript) -> tuple[tuple[float, ...], ...]:
        """What its segments sound like; nothing where that cannot be found out, for the words are worth more than who said them."""
        spans = tuple((one.start, one.end) for one in heard.segments)
        try:
            return (await self._ctx.run(Compare(model=self._wish.voices, audio=clip.audio, spans=spans), quiet=True)).voices
        except JobCancelled:
            raise
        except (JobError, UserError):
            return ()

    def _shown(self, clip: Clip, partial: Partial) -> Reply | None:
        """The end of all that is known without a gap."""
        if not isinstance(partial, TextSoFar) or self._wish.unseen:
            return None
        self._latest[clip.start] = partial.text.strip()
        text, end = self._end, self._whole.seconds
        for one, _ in self._running:
            if one.start not in self._latest:
                break
            text, end = f"{text} {self._latest[one.start]}", one.start + one.seconds
        return growing(text.strip(), end, self._sound.seconds, self._left(end))

    def _left(self, done: float) -> float:
        """Seconds until the end at the pace so far; 0 where that is not known."""
        return (self._clock() - self._began) / done * max(0.0, self._sound.seconds - done) if done else 0.0


async def listen(ctx: Context, sounds: tuple[Audio, ...], wish: Wish) -> list[Whole]:
    """All recordings of a message, one after the other."""
    return [await Listening(ctx, sound, wish).transcript() for sound in sounds]


def check_length(seconds: float, longest: float) -> None:
    """Raises UserError for a recording that says of itself that it is too long; `ctx.clips` finds out those that lie."""
    if seconds > longest:
        raise UserError(
            tr("This recording is {seconds} long; here I write down at most {most}.", seconds=clock(seconds), most=clock(longest))
        )
