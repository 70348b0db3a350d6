"""A model that others run, as a model of ours: asked over HTTP, cancelled at once, its pictures with recipes. The protocol: `bfl.py`."""

from __future__ import annotations

import hashlib
import io
import os

import httpx

from bot import Batch, Draw, Memory, Model, Picture, Placement, Work, while_wanted
from plugins.imagine.bfl import Client, ModeratedError, Ordered
from plugins.imagine.config import Server
from plugins.imagine.recipe import Recipe
from plugins.imagine.served import ELSEWHERE

SILENCE = 60.0
"""Seconds without a byte after which a connection is given up."""


class Remote(Model[Draw, Picture]):
    """Asks for as many pictures at once as the operator allows, each request in a thread of its own."""

    job = Draw
    remote = True

    def __init__(self, name: str, server: Server, pace: float = 1.0) -> None:
        self.name = name
        self.concurrency = server.concurrency
        self._server = server
        self._pace = pace

    def memory(self) -> Memory:
        """None of ours."""
        return Memory(0)

    def load(self, placement: Placement) -> None:
        """Raises ValueError for a missing key."""
        self._key()

    def unload(self) -> None:
        """There is nothing to give back."""

    def run(self, batch: Batch[Draw, Picture]) -> None:
        """Raises ServerRefusedError. Who does not wait any more hangs up; what was ordered is paid for all the same."""
        for work in batch:
            while_wanted(work, self._draw(work))

    async def _draw(self, work: Work[Draw, Picture]) -> None:
        try:
            first, *others = await self._drawn(work)
        except ModeratedError as error:
            work.refuse(str(error))
            return
        work.finish(first.model_copy(update={"others": tuple(others)}))

    async def _drawn(self, work: Work[Draw, Picture]) -> list[Picture]:
        job = work.job
        reference = work.read(job.reference) if job.reference else b""
        width, height = job.size or (ELSEWHERE.side, ELSEWHERE.side)
        async with httpx.AsyncClient(timeout=httpx.Timeout(SILENCE, connect=10.0)) as http:
            client = Client(self._server, self._key(), http, self._pace)
            orders = [Ordered(job.prompt, width, height, (job.seed or 0) + number, reference) for number in range(job.number)]
            return [self._kept(work, order, *await client.draw(order)) for order in orders]

    def _kept(self, work: Work[Draw, Picture], order: Ordered, content: bytes, cost: float | None) -> Picture:
        from PIL import Image

        from plugins.imagine.files import digest, png

        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as found:
            picture = found.convert("RGB")
        recipe = Recipe(
            prompt=order.prompt,
            seed=order.seed,
            width=picture.width,
            height=picture.height,
            steps=1,
            model=self.name,
            revision=self._server.model,
            device="a server elsewhere",
            reference=hashlib.sha256(order.reference).hexdigest() if order.reference else "",
            cost="" if cost is None else f"{cost:g} credits",
            pixels=digest(picture),
        )
        blob = work.keep(png(picture, recipe), "image/png", f"{recipe.id}.png")
        return Picture(image=blob, recipe=recipe.model_dump(mode="json"))

    def _key(self) -> str:
        if not (key := os.environ.get(self._server.key)):
            raise ValueError(f"{self.name}: expected the server's key in the environment variable {self._server.key}, found none")
        return key
