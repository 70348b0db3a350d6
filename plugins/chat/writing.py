"""Writes one answer: shown as it comes, without names that a model puts before it, and with tools where the model can call them.

What is asked and what is remembered: `front.py`. What a tool may do is the core's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot import Answer, Call, Context, Generate, Part, Partial, Reply, Text, TextSoFar, Turn, estimate_tokens
from plugins.chat.looking import fitted
from plugins.chat.room import LEAST
from plugins.chat.wording import may_become_label, unlabelled

MOST_CALLS = 4
"""Tools that one answer may call; the model then answers with what it knows."""


@dataclass(slots=True)
class Written:
    """The words of an answer, and what tools gave beside words: which were called, of which a part alone was told, and parts for the chat.

    `room` are the tokens that there still are for what tools say.
    """

    room: int = 0
    text: str = ""
    tokens: int = 0
    cut: bool = False
    used: list[str] = field(default_factory=list)
    shortened: set[str] = field(default_factory=set)
    parts: list[Part] = field(default_factory=list)


async def write(ctx: Context, job: Generate, labels: frozenset[str], *, begun: str = "", room: int = 0) -> Written:
    """The answer to the turns of a job. With `begun` the last of them is the bot's, and the chat is shown what comes behind that.

    What tools say is cut to `room` tokens together, so that the model is shown it beside the question.
    """
    written, turns = Written(room), job.turns
    while True:
        offered = job.tools if len(written.used) < MOST_CALLS else ()
        asked = job.model_copy(update={"turns": turns, "tools": offered})
        answer = await ctx.stream(asked, lambda partial: _shown(partial, labels, begun))
        if not answer.calls:
            return _whole(written, answer, labels)
        turns = (*turns, *await _called(ctx, answer, written))


def _whole(written: Written, answer: Answer, labels: frozenset[str]) -> Written:
    written.text, written.tokens = unlabelled(answer.text, labels), answer.tokens
    written.cut = answer.finish == "length"
    return written


async def _called(ctx: Context, answer: Answer, written: Written) -> list[Turn]:
    """The turns of the calls and of what came of them. What went wrong is among it, and the model finds words for it."""
    calls = answer.calls[: MOST_CALLS - len(written.used)]
    written.room -= sum(estimate_tokens(call.model_dump_json()) for call in calls)
    results = [await _result(ctx, call, written, len(calls) - number) for number, call in enumerate(calls)]
    told = zip(calls, results, strict=True)
    return [
        Turn(role="bot", parts=(), calls=calls),
        *(Turn(role="tool", name=call.name, call=call.id, parts=(Text(result),)) for call, result in told),
    ]


async def _result(ctx: Context, call: Call, written: Written, share: int) -> str:
    """In an equal share of the room that is left: so many results are still to come, with this one."""
    written.used.append(call.name)
    reply = await ctx.call(call)
    written.parts += [part for part in reply.parts if not isinstance(part, Text)]
    told, cut = fitted(call.name, reply.text, max(LEAST, written.room // share))
    written.room -= estimate_tokens(told)
    if cut:
        written.shortened.add(call.name)
    return told


def _shown(partial: Partial, labels: frozenset[str], begun: str) -> Reply | None:
    if not isinstance(partial, TextSoFar) or may_become_label(partial.text, labels):
        return None
    text = unlabelled(partial.text, labels).removeprefix(begun).strip()
    return Reply(text) if text else None
