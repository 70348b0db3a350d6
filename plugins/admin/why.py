"""`/why`: the path that a message took through the bot. Where it is written down, and who may see it: the core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from bot import Command, Context, NoArgs, Reply, Request, Route, Rule, Step, Stop, Trace, later, tr, translated

NOTHING = later("I know nothing of that: I keep it for an hour, and see only what this platform shows me.")

RULES: Mapping[Rule, str] = {
    "": later("It was not said to me: it does not mention me, answers nothing of mine, and I do not answer everything here."),
    "direct": later("It was said to me, because we are alone here."),
    "mention": later("It was said to me, because it mentions me."),
    "reply": later("It was said to me, because it answers me."),
    "listens": later("It was taken as said to me, because I answer everything here."),
    "thread": later("It was taken as said to me, because this thread is a conversation with me."),
    "word": later("It was taken as said to me, because it has a word that calls me."),
    "command": later("It was a command."),
    "click": later("It was a click."),
    "reaction": later("It was a reaction."),
}

STOPS: Mapping[Stop, str] = {
    "banned": later("I did not look at it: whoever runs me has shut out the person or this server."),
    "not admitted": later("I did not look at it: whoever runs me has not let me work here yet."),
}

NOBODY = later("No plugin that is on here wanted it.")


def routes() -> Iterable[Route]:
    """The command, also in the menu of a message."""
    return [
        Command("why", "See why I answered a message as I did, or not: in a reply to it, or for your last one.", NoArgs, why, menu=True)
    ]


async def why(ctx: Context, args: NoArgs) -> Reply:
    """The path of the message that this replies to, or of the person's last one."""
    about = ctx.message.reply_to
    trace = await ctx.trace(about.id if about is not None else "")
    return Reply(translated(NOTHING) if trace is None else "\n".join(lines(trace)), private=True)


def lines(trace: Trace) -> Iterator[str]:
    """The path, step by step."""
    yield tr("I saw it at {time} UTC.", time=f"{datetime.fromtimestamp(trace.at, UTC):%H:%M:%S}")
    if trace.stop:
        yield translated(STOPS[trace.stop])
    yield translated(RULES[trace.rule])
    for step in trace.steps:
        yield from _step(step)
    for plugin in trace.missed:
        yield tr("{plugin} would have taken it, but is switched off here: /plugins.", plugin=plugin)
    if not trace.steps and not trace.missed and not trace.stop:
        yield translated(NOBODY)


def _step(step: Step) -> Iterator[str]:
    if step.words:
        yield f"- {tr('I said instead of an answer: {words}', words=step.words)}"
    else:
        route = step.route.replace(":", " ")
        taken = tr("**{plugin}** took it ({route}): it is on here, and you may use it.", plugin=step.plugin, route=route)
        yield f"- {taken} {tr('Reference: {ref}', ref=step.ref)}"
    if step.trouble is not None:
        yield f"  - {step.trouble}"
    for request in step.requests:
        yield f"  - {_request(request)}"
    if step.seconds is None:
        yield f"  - {tr('It is not finished yet.')}"
    elif step.undelivered:
        yield f"  - {tr('The answer was ready, and the platform would not take it.')}"
    elif not step.words:
        yield f"  - {tr('Finished after {time} s; messages: {n}.', time=f'{step.seconds:.1f}', n=step.answers)}"


def _request(request: Request) -> str:
    said = [tr("A request to {model} ({kind}).", model=request.model or "?", kind=request.kind)]
    if request.waited is not None:
        said.append(tr("In line for {time} s.", time=f"{request.waited:.1f}"))
    if request.worked is not None:
        said.append(tr("On the device for {time} s.", time=f"{request.worked:.1f}"))
    return " ".join(said)
