"""Takes what is said to the bot to the parrot; what it does is chosen by the first word."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Context, File, Generate, JobError, Listener, Partial, Reply, Route, Turn, UserError, hookimpl


class Plugin:
    """Echoes."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("echo", lambda message: message.addressed, self.echo)]

    async def echo(self, ctx: Context) -> Reply:
        word = ctx.message.text.partition(" ")[0]
        if word == "refuse":
            raise UserError("I would rather not.")
        if word == "fail":
            raise JobError("on purpose")
        if word == "draw":
            return Reply("Here it is.", File(await ctx.keep(b"a picture", "text/plain", "picture.txt")))
        files = [part for part in ctx.message.parts if not isinstance(part, str) and part.kind != "text"]
        sizes = [len(await ctx.read(part.source)) for part in files]
        job = Generate(model="parrot", turns=(Turn(role="person", parts=ctx.message.parts, name=ctx.person.name),))
        answer = await ctx.stream(job, self.show)
        return Reply(" ".join([answer.text, *(f"[{size} bytes]" for size in sizes)]))

    @staticmethod
    def show(partial: Partial) -> Reply | None:
        return Reply(partial.text) if partial.kind == "text" else None
