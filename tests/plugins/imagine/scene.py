"""The front half of imagine as the router calls it, with a scripted model, and clicks below its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import (
    Address,
    Attachment,
    Blob,
    Button,
    Clicked,
    Context,
    Draw,
    Image,
    Message,
    Person,
    Picture,
    Quote,
    Reply,
)
from bot.acts import Scope
from bot.catalogue import load
from bot.messages import Part
from bot.router.arguments import parse, validate
from bot.testing import Scripted, ScriptedActs
from plugins.imagine.args import Below, args_for
from plugins.imagine.config import Config
from plugins.imagine.front import Plugin
from plugins.imagine.jobs import Look, Looked
from plugins.imagine.recipe import Recipe
from plugins.imagine.served import served
from plugins.imagine.settings import Settings

ADA, BEN, HOBNOB = Person("1", "Ada"), Person("2", "Ben"), Person("9", "Hobnob", bot=True)
BOTH = Config(models=("flux.1-schnell", "flux.1-dev"), styles={"pixel": Path("pixel.safetensors")})
PICTURE = Image(Attachment("p", "image/png", 10))


def plugin(config: Config = BOTH) -> Plugin:
    return Plugin(config, load())


def message(*parts: Part, reply_to: Quote | None = None, **fields: Any) -> Message:
    return Message("m1", "m1/0", Address("room", "lobby", "main"), ADA, parts, at=5.0, me="9", reply_to=reply_to, **fields)


def context(acts: ScriptedActs, said: Message | None = None, **settings: Any) -> Context:
    return Context(said or message(), Settings(**settings), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)


def drawn(job: Draw, number: int = 0, **changed: Any) -> Picture:
    """What the model would answer."""
    assert job.size is not None
    recipe = Recipe(
        prompt=job.prompt,
        seed=(job.seed or 0) + number,
        width=job.size[0],
        height=job.size[1],
        steps=job.steps or 4,
        model=job.model or "",
        style=job.style or "",
        guidance=job.guidance,
        **{"pixels": "abc", **changed},
    )
    return Picture(image=Blob(f"b{number}", "image/png", 10), recipe=recipe.model_dump(mode="json"))


class Scene(ScriptedActs):
    """A model that draws whatever it is asked for, and one that takes pictures for `unsafe` with these probabilities, or fails."""

    def __init__(self, *script: Scripted, unsafe: Sequence[float] | Exception = (), **changed: Any) -> None:
        super().__init__(*script)
        self.unsafe = unsafe
        self.changed = changed
        self.lifetimes: dict[str, float | None] = {}

    async def save(self, scope: Scope, key: str, value: bytes | None, ttl: float | None) -> None:
        self.lifetimes[key] = ttl
        await super().save(scope, key, value, ttl)

    async def run(self, job: Any, show: Any, quiet: bool = False) -> Any:
        if isinstance(job, Draw) and not self.script:
            self.script = [drawn(job, **self.changed).model_copy(update={"others": tuple(drawn(job, n) for n in range(1, job.number))})]
        if isinstance(job, Look):
            self.script = [self.unsafe if isinstance(self.unsafe, Exception) else Looked(unsafe=tuple(self.unsafe))]
        return await super().run(job, show, quiet)

    @property
    def asked(self) -> Draw:
        """What the model was asked for last."""
        return [job for job in self.jobs if isinstance(job, Draw)][-1]


async def imagine(text: str, acts: ScriptedActs, said: Message | None = None, config: Config = BOTH, **settings: Any) -> Reply:
    """As the router calls it for `/imagine text`."""
    model = args_for(served(config, load()), list(config.styles))
    args = model.model_validate(validate(model, parse(model, text)))
    return await plugin(config).imagine(context(acts, said, **settings), args)


def button(reply: Reply, label: str) -> Below:
    [found] = [one for one in reply.buttons if isinstance(one, Button) and one.label == label]
    return Below.model_validate(found.payload)


def click(*parts: Part, by: Person = ADA, **fields: Any) -> Message:
    return replace(message(reply_to=Quote("m2", HOBNOB, parts), trigger=Clicked("b"), **fields), sender=by)
