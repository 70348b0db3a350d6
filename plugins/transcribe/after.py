"""The buttons under a transcript: what else can be made of it. The transcript itself: `front.py`; its words: `writing.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from math import inf

from pydantic import BaseModel, ConfigDict

from bot import (
    Action,
    Answer,
    Button,
    Catalogue,
    Context,
    Generate,
    Partial,
    Reply,
    Route,
    Text,
    TextSoFar,
    Transcribe,
    Turn,
    UserError,
    estimate_tokens,
    later,
    tr,
    translated,
)
from plugins.transcribe import formats
from plugins.transcribe.languages import NAMES
from plugins.transcribe.notes import Note
from plugins.transcribe.transcripts import Whole
from plugins.transcribe.writing import file, text_of, timed

Read = Callable[[Context, Note], Awaitable[list[Whole]]]
"""The transcripts of a note, from where they are kept, or heard anew."""

Interpret = Callable[[Context, Note, str], Awaitable[list[Whole]]]
"""The transcripts of a note in English, heard anew by the model of that name."""

CAPABLE = 1_000_000_000
"""Parameters of a chat model from which on a summary or a translation by it is worth reading."""

PIECE = 700
"""Tokens of a transcript that a chat model is given at once: with its answer they fit the smallest window that the operator can set."""

SHORT = PIECE // 4
"""Tokens of a part's summary, three sentences: all of them together are a quarter as long as the text."""

OFFERED = ("en", "es", "fr", "de", "pt", "ru", "ar", "hi", "zh", "ja")
"""Languages that have a button; any other is named behind /transcribe."""

SUMMARY = (
    "Summarise what the person sends, which is the transcript of a recording, in at most three sentences, in its own language. Add nothing."
)
TRANSLATION = "Translate what the person sends into {language}. Answer with the translation alone."

LABELS = {
    "summary": later("Summary"),
    "translate": later("Translate"),
    "english": later("English"),
    "timestamps": later("Timestamps"),
    "files": later("Files"),
}
"""Buttons, by their actions."""


class Into(BaseModel):
    """A note, and the language that its text is wanted in, by its English name."""

    model_config = ConfigDict(frozen=True)

    note: Note
    language: str


class After:
    """What a click gives. `read` finds the transcript; the catalogue knows what models can do."""

    def __init__(self, read: Read, english: Interpret, catalogue: Catalogue) -> None:
        self._read = read
        self._english = english
        self._catalogue = catalogue

    def routes(self) -> Iterable[Route]:
        """One action for each button."""
        return [
            Action("summary", Note, self.summary),
            Action("translate", Note, self.translate),
            Action("into", Into, self.into),
            Action("english", Note, self.english),
            Action("timestamps", Note, self.timestamps),
            Action("files", Note, self.files),
        ]

    async def buttons(self, ctx: Context, note: Note, transcripts: Sequence[Whole]) -> list[Button]:
        """Those that can keep what they promise here and now."""
        heard = [one for one in transcripts if one.parts]
        if not heard:
            return []
        able, payload = await self._able(ctx), note.model_dump(mode="json")
        english = any(one.language != "en" for one in heard) and await self._interpreter(ctx)
        wanted = {"summary": able, "translate": able, "english": english, "timestamps": True, "files": True}
        return [Button(translated(LABELS[action]), action, payload) for action, there in wanted.items() if there]

    async def _able(self, ctx: Context) -> str | None:
        """The largest chat model that is up to it, if there is one."""
        return max(((size, name) for name in await ctx.models(Generate) if (size := self._size(name)) >= CAPABLE), default=(0, None))[1]

    def _size(self, name: str) -> float:
        """Of a chat model that follows instructions; one behind a server was chosen by the operator for what it can do."""
        entry = self._catalogue.models.get(name)
        if entry is None:
            return inf
        return entry.chat.parameters if entry.chat and entry.chat.tuned else 0

    async def _interpreter(self, ctx: Context) -> str | None:
        """A speech model that translates into English, if there is one: not all do."""
        return next((name for name in await ctx.models(Transcribe) if self._translates(name)), None)

    def _translates(self, name: str) -> bool:
        entry = self._catalogue.models.get(name)
        return entry is not None and entry.speech is not None and entry.speech.translates

    async def summary(self, ctx: Context, note: Note) -> Reply:
        """Three sentences; of a text that is too long for the model, of the summaries of its parts."""
        parts, before = pieces(text_of(await self._read(ctx, note))), inf
        while 1 < len(parts) < before:  # a model that sums nothing up is not asked again
            before = len(parts)
            parts = pieces("\n".join([await self._asked(ctx, SUMMARY, part, SHORT) for part in parts]))
        return Reply(await self._asked(ctx, SUMMARY, parts[0], 2 * PIECE))

    async def translate(self, ctx: Context, note: Note) -> Reply:
        """Asks for the language."""
        codes = dict.fromkeys((*filter(NAMES.__contains__, [ctx.message.language.partition("-")[0]]), *OFFERED))
        buttons = [Button(NAMES[code], "into", Into(note=note, language=NAMES[code]).model_dump(mode="json")) for code in codes]
        return Reply(
            tr("Into which language? For any other, reply to the recording with /transcribe and its name."), buttons=buttons, private=True
        )

    async def into(self, ctx: Context, args: Into) -> Reply:
        """The text in that language."""
        return Reply(await self.translated(ctx, text_of(await self._read(ctx, args.note)), args.language))

    async def translated(self, ctx: Context, text: str, language: str) -> str:
        """By the chat model, piece by piece. Raises UserError where there is none that is up to it."""
        task = TRANSLATION.format(language=language)
        return "\n\n".join([await self._asked(ctx, task, part, 2 * PIECE) for part in pieces(text)])

    async def _asked(self, ctx: Context, task: str, text: str, most: int) -> str:
        model = await self._able(ctx)
        if model is None:
            raise UserError(tr("No chat model that is large enough for this is here now."))
        turns = (Turn(role="system", parts=(Text(task),)), Turn(role="person", parts=(Text(text),)))
        answer: Answer = await ctx.stream(Generate(model=model, turns=turns, max_tokens=most, temperature=0.0), _shown)
        return answer.text.strip()

    async def english(self, ctx: Context, note: Note) -> Reply:
        """The recording in English, by Whisper."""
        model = await self._interpreter(ctx)
        if model is None:
            raise UserError(tr("No model that translates speech into English is here now."))
        spoken = await self._english(ctx, note, model)
        written = [replace(one, language="en") for one in spoken]  # Whisper names the language that it heard
        return Reply(text_of(written) or tr("There is nothing to translate."), silent=True)

    async def timestamps(self, ctx: Context, note: Note) -> Reply:
        """A line for each segment with its time."""
        return Reply("\n\n".join(timed(one) for one in await self._read(ctx, note)), silent=True)

    async def files(self, ctx: Context, note: Note) -> Reply:
        """All formats; several recordings are numbered."""
        made = []
        for number, one in enumerate(await self._read(ctx, note), 1):
            name = "transcript" if len(note.sounds) == 1 else f"transcript-{number}"
            made += [await file(ctx, f"{name}.{kind}", mime, write(one)) for kind, (mime, write) in formats.ALL.items()]
        return Reply(*made, silent=True)


def _shown(partial: Partial) -> Reply | None:
    return Reply(partial.text) if isinstance(partial, TextSoFar) and partial.text.strip() else None


def pieces(text: str) -> list[str]:
    """The text in parts of at most so many tokens, cut behind a sentence where there is one; one at least."""
    parts = []
    while (tokens := estimate_tokens(text)) > PIECE:
        room = len(text) * PIECE // tokens
        at = max((text.rfind(mark, room // 2, room) + len(mark) for mark in ("\n", ". ", "? ", "。", " ")), default=0)
        parts.append(text[: at if at > room // 2 else room])
        text = text[len(parts[-1]) :]
    return [*parts, text]
