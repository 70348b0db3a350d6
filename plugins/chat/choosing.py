"""Which model answers in a chat: shown and switched by `/models`. Which there are is the operator's choice, in `config.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from bot import Command, Context, Route, UserError
from plugins.chat.config import Served


class ModelsArgs(BaseModel):
    """What `/models` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str = ""
    """The model that is to answer in this chat; empty lists them."""


class Choosing:
    """The models that are served; the first one answers where nobody has chosen."""

    def __init__(self, models: Sequence[Served]) -> None:
        self._models = {model.name: model for model in models}
        self._first = models[0]

    def routes(self) -> Iterable[Route]:
        """One command."""
        return [Command("models", "List the models, or choose the one that answers in this chat.", ModelsArgs, self.models)]

    def chosen(self, ctx: Context) -> Served:
        """The setting that holds here, while that model is served."""
        return self._models.get(ctx.settings.model, self._first)

    async def models(self, ctx: Context, args: ModelsArgs) -> str:
        """Everybody may look; the server's admins may choose, which the core sees to."""
        if not args.name:
            here = self.chosen(ctx)
            return "\n".join(_line(model, here=model is here) for model in self._models.values())
        if args.name not in self._models:
            raise UserError(f"No model here is called “{args.name}”. There is: {', '.join(self._models)}.")
        await ctx.choices.save({"model": args.name}, "thread" if ctx.address.thread else "channel")
        return f"{args.name} answers here from now on."


def _line(model: Served, *, here: bool) -> str:
    return f"{'**' if here else ''}{model.name}{'**, answers here' if here else ''}: {model.summary}"
