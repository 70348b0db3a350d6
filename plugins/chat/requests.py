"""The commands that ask a model for one thing, apart from the conversation: translate, summarise and the like. Their words: `tasks.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot import (
    Command,
    Context,
    File,
    Generate,
    Image,
    NoArgs,
    Partial,
    Reply,
    Route,
    Text,
    TextSoFar,
    Turn,
    UserError,
    estimate_tokens,
    tr,
)
from plugins.chat import tasks
from plugins.chat.config import Served
from plugins.chat.documents import beginnings, read_in_part, readable, shortened
from plugins.chat.recalling import lines, split, talk
from plugins.chat.recordings import recorded, written_down
from plugins.chat.room import space
from plugins.chat.tasks import Task
from plugins.chat.wording import described, too_long

Chosen = Callable[[Context], Served]
"""Which model answers in this chat."""

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\n:]+$")]


MOST_PARTS = 6
"""How many times what it is shown at once a model sums up; a day of a busy chat may be more, and its beginning is left out."""


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    text: str = ""
    """The text; empty takes the message that this one replies to."""


class TranslateArgs(_Args):
    """What `/translate` takes."""

    language: Word = "English"
    """The language to translate into, by its English name."""


class SummarizeArgs(_Args):
    """What `/summarize` takes."""

    hours: float = Field(default=24.0, gt=0, le=24 * 31)
    """Without a text: how far back to look in what was said here, as far as the bot has heard it."""


class ClassifyArgs(_Args):
    """What `/classify` takes."""

    labels: Annotated[str, StringConstraints(max_length=400)] = "positive, negative, neutral"
    """The labels to choose from, separated by commas."""


class ExtractArgs(_Args):
    """What `/extract` takes."""

    what: Word = "names"
    """What to look for: names, places, dates, amounts, or anything else."""


class CodeArgs(_Args):
    """What `/code` takes."""

    language: Word = "Python"
    """The programming language."""


class Requests:
    """Handlers of the commands; `chosen` says which model is asked."""

    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen

    def routes(self) -> Iterable[Route]:
        """One command for each task."""
        return [
            Command("ask", "Ask one question, apart from the conversation.", _Args, self.ask, example="/ask Why is the sky blue?"),
            Command(
                "translate",
                "Translate a text or the message you reply to.",
                TranslateArgs,
                self.translate,
                menu=True,
                example="/translate Good morning --language French",
            ),
            Command(
                "summarize",
                "Sum up a text, the message you reply to, or what was said here.",
                SummarizeArgs,
                self.summarize,
                menu=True,
                example="/summarize --hours 3",
            ),
            Command("catchup", "Sum up what was said since you last spoke here.", NoArgs, self.catch_up),
            Command(
                "classify",
                "Say which of some labels fits a text.",
                ClassifyArgs,
                self.classify,
                example='/classify The food was cold --labels "good, bad"',
            ),
            Command(
                "extract",
                "List the names, places, dates or the like in a text.",
                ExtractArgs,
                self.extract,
                example="/extract Ann meets Bob in Rome --what places",
            ),
            Command("code", "Write a few lines of code.", CodeArgs, self.code, example="/code Read a CSV file --language Python"),
        ]

    async def ask(self, ctx: Context, args: _Args) -> str:
        """One question."""
        return await self._told(ctx, tasks.answer(), args)

    async def translate(self, ctx: Context, args: TranslateArgs) -> str:
        """A text in another language."""
        return await self._told(ctx, tasks.translate(args.language), args)

    async def summarize(self, ctx: Context, args: SummarizeArgs) -> Reply | str:
        """A text, or what was said here since some hours ago."""
        if args.text or ctx.message.reply_to:
            return await self._told(ctx, tasks.summarise(), args)
        since = (ctx.now - timedelta(hours=args.hours)).timestamp()
        said = [turn for turn in await self._remembered(ctx) if turn.at >= since]
        return (
            await self._summed(ctx, said)
            if said
            else _unheard(ctx, tr("I know of nothing that was said here in the last {hours} h.", hours=f"{args.hours:g}"))
        )

    async def catch_up(self, ctx: Context, args: NoArgs) -> Reply | str:
        """What was said since the person last spoke here, of all that the bot has heard; for their eyes alone, where the platform can."""
        turns, me = await self._remembered(ctx), ctx.person.id
        last = max((number for number, turn in enumerate(turns) if turn.person == me and turn.role == "person"), default=-1)
        missed = [turn for turn in turns[last + 1 :] if turn.person != me]
        nothing = _unheard(ctx, tr("You have missed nothing that I know of."))
        return Reply(await self._summed(ctx, missed) if missed else nothing, private=True)

    async def _remembered(self, ctx: Context) -> list[Turn]:
        return await talk(ctx).turns(MOST_PARTS * self._space(ctx, tasks.condense()))

    async def _summed(self, ctx: Context, turns: Sequence[Turn]) -> str:
        """Summed up part by part where it is more than the model can be shown at once, and then the parts together."""
        task = tasks.condense()
        most = self._space(ctx, task)
        parts = split(turns, most)
        told = [await self._done(ctx, task, lines(part), shown=len(parts) == 1) for part in parts]
        return told[0] if len(told) == 1 else await self._done(ctx, task, shortened("\n".join(told), most)[0])

    async def classify(self, ctx: Context, args: ClassifyArgs) -> str:
        """One of the labels."""
        labels = [label for each in args.labels.split(",") if (label := each.strip())]
        if len(labels) < 2:
            raise UserError(tr('Please give at least two labels, separated by commas: --labels "spam, no spam".'))
        return await self._told(ctx, tasks.classify(labels), args, lambda label: tasks.closest(label, labels))

    async def extract(self, ctx: Context, args: ExtractArgs) -> str:
        """A list."""
        return await self._told(ctx, tasks.extract(args.what), args)

    async def code(self, ctx: Context, args: CodeArgs) -> str:
        """A code block, also from models that write bare code."""

        def fenced(written: str) -> str:
            return written if "```" in written else f"```{args.language.lower()}\n{written}\n```"

        return await self._told(ctx, tasks.code(args.language), args, fenced)

    async def _told(self, ctx: Context, task: Task, args: _Args, shaped: Callable[[str], str] = str) -> str:
        """What the model answers, and below it what of files it was shown, where that is not all."""
        text, left_out = await self._text(ctx, args, self._space(ctx, task))
        answer = shaped(await self._done(ctx, task, text))
        return f"{answer}\n\n{left_out}" if left_out else answer

    def _space(self, ctx: Context, task: Task) -> int:
        model = self._chosen(ctx)
        return space(ctx.settings, model, task.turns("", tuned=model.tuned))

    async def _text(self, ctx: Context, args: _Args, most: int) -> tuple[str, str]:
        """What the command is about: its words, else the message it replies to, with text files and what is said in recordings.

        And what of these was read, where that is not all. Raises UserError when there is nothing.
        """
        quote, spoken = ctx.message.reply_to, args.text.strip()
        quoted = quote.parts if quote and not spoken else ()
        words = spoken or described(part for part in quoted if isinstance(part, Text) or (isinstance(part, Image) and part.alt))
        sounds = recorded((*ctx.message.parts, *quoted))
        heard, of_it = await written_down(ctx, most - estimate_tokens(words)) if sounds else ("", "")
        files = [part for part in (*ctx.message.parts, *quoted) if isinstance(part, File) and readable(part)]
        read, left_out = await beginnings(ctx, files, most - estimate_tokens(f"{words}{heard}"))
        if text := "\n".join(filter(None, [words, heard, *read])):
            return text, read_in_part([of_it, *left_out])
        raise UserError(tr("Please write a text behind the command, or reply with it to a message, a text file or a voice note."))

    async def _done(self, ctx: Context, task: Task, text: str, *, shown: bool = True) -> str:
        model, settings, most = self._chosen(ctx), ctx.settings, self._space(ctx, task)
        if (tokens := estimate_tokens(text)) > most:
            raise UserError(too_long(len(text), len(text) * most // tokens))
        job = Generate(
            model=model.name,
            turns=task.turns(text, tuned=model.tuned),
            max_tokens=settings.max_tokens,
            temperature=0.0,
            stop=() if model.tuned else task.stops,
        )
        answer = await (ctx.stream(job, _shown) if shown else ctx.run(job))
        return answer.text or tr("The model had nothing to say to that.")


def _shown(partial: Partial) -> Reply | None:
    return Reply(partial.text) if isinstance(partial, TextSoFar) and partial.text else None


def _unheard(ctx: Context, nothing: str) -> str:
    """Why the bot may know of nothing, where several people talk: a group takes it for a reader of everything."""
    return (
        nothing
        if ctx.address.direct
        else f"{nothing} {tr('I know what is said to me, and all else only where an admin has me read along.')}"
    )
