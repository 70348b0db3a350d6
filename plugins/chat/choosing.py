"""Which model answers in a chat: shown and switched by `/models`. Which there are is the operator's choice, in `config.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from bot import Command, Context, Refused, Route, UserError
from plugins.chat.config import Served


class ModelsArgs(BaseModel):
    """What `/models` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str = ""
    """The model that is to answer in this chat; empty lists them."""


class Choice(BaseModel):
    """What a chat has chosen."""

    model: str


class Choosing:
    """The models that are served; the first one answers where nobody has chosen."""

    def __init__(self, models: Sequence[Served]) -> None:
        self._models = {model.name: model for model in models}
        self._first = models[0]

    def routes(self) -> Iterable[Route]:
        """One command."""
        return [Command("models", "List the models, or choose the one that answers in this chat.", ModelsArgs, self.models)]

    async def chosen(self, ctx: Context) -> Served:
        """The chat's choice, else the setting, while it is served; nothing is read where there is none to make."""
        if len(self._models) == 1:
            return self._first
        usual = self._models.get(ctx.settings.model, self._first)
        choice = await ctx.store.get(Choice, "chat", "model")
        return self._models.get(choice.model, usual) if choice else usual

    async def models(self, ctx: Context, args: ModelsArgs) -> str:
        """Everybody may look; who manages the server may choose."""
        if not args.name:
            here = await self.chosen(ctx)
            return "\n".join(_line(model, here=model is here) for model in self._models.values())
        if args.name not in self._models:
            raise UserError(f"No model here is called “{args.name}”. There is: {', '.join(self._models)}.")
        if not (ctx.message.manages or ctx.address.direct):
            raise Refused("Only those who manage this server can choose its model.")
        await ctx.store.put(Choice(model=args.name), "chat", "model")
        return f"{args.name} answers here from now on."


def _line(model: Served, *, here: bool) -> str:
    return f"{'**' if here else ''}{model.name}{'**, answers here' if here else ''}: {model.summary}"
