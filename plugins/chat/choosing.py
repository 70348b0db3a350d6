"""Which model answers in a chat: shown, switched and compared by `/models`. Which there are is the operator's choice, in `config.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from bot import Action, Command, Completing, Context, Reply, Route, UserError, tr
from plugins.chat.comparing import Comparing, Taken
from plugins.chat.config import Served
from plugins.chat.room import room


class ModelsArgs(BaseModel):
    """What `/models` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str = ""
    """The model that is to answer in this chat; empty lists them."""

    against: str = ""
    """Another model: both answer below, without their names, and people vote."""

    prompt: str = ""
    """What both are to answer; several questions are separated by |."""


class Choosing:
    """The models that are served; the first one answers where nobody has chosen."""

    def __init__(self, models: Sequence[Served]) -> None:
        self._models = {model.name: model for model in models}
        self._first = models[0]
        self._comparing = Comparing()

    def routes(self) -> Iterable[Route]:
        """One command, and the buttons of comparisons."""
        about = "List the models, choose the one that answers in this chat, or compare two."
        named = {"name": self._named, "against": self._named}
        return [
            Command("models", about, ModelsArgs, self.models, completions=named, example="/models smollm2-135m-instruct"),
            Action("take", Taken, self.take),
            *self._comparing.routes(),
        ]

    def chosen(self, ctx: Context) -> Served:
        """The setting that holds here, while that model is served."""
        return self._models.get(ctx.settings.model, self._first)

    def room(self, ctx: Context) -> int:
        """The most tokens that this model is shown of the conversation, and of one question."""
        return room(ctx.settings, self.chosen(ctx))

    async def models(self, ctx: Context, args: ModelsArgs) -> Reply | str:
        """Everybody may look; the server's admins may choose, which the core sees to, and compare."""
        if args.against or args.prompt:
            questions = [question for each in args.prompt.split("|") if (question := each.strip())]
            two = self._two(args)
            return await self._comparing.compare(ctx, two, questions, min(room(ctx.settings, self._models[name]) for name in two))
        if not args.name:
            here = self.chosen(ctx)
            return "\n".join(_line(model, here=model is here) for model in self._models.values())
        return await self.take(ctx, Taken(name=args.name))

    async def take(self, ctx: Context, args: Taken) -> str:
        """Has a model answer here from now on."""
        await ctx.choices.save({"model": self._known(args.name)}, "thread" if ctx.address.thread else "channel")
        return tr("{model} answers here from now on.", model=args.name)

    def _two(self, args: ModelsArgs) -> tuple[str, str]:
        if not (args.name and args.against) or args.name == args.against:
            raise UserError(tr("Please name two models: /models ONE --against OTHER --prompt “Why is the sky blue?”"))
        return self._known(args.name), self._known(args.against)

    def _known(self, name: str) -> str:
        if name not in self._models:
            raise UserError(tr("No model here is called “{name}”. There is: {models}.", name=name, models=", ".join(self._models)))
        return name

    async def _named(self, typing: Completing) -> list[str]:
        return [name for name in self._models if typing.text.lower() in name]


def _line(model: Served, *, here: bool) -> str:
    named = f"**{model.name}**, {tr('answers here')}" if here else model.name
    return f"{named}: {model.summary}"
