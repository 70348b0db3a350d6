"""A chat model that another program runs: asked over HTTP, started and stopped where the operator says how. The protocol: `openai.py`."""

from __future__ import annotations

import os
import time
from contextlib import aclosing

import httpx

from bot import Answer, Batch, Generate, Memory, Model, Placement, TextSoFar, Work, while_wanted
from plugins.chat.config import Server
from plugins.chat.managed import Managed
from plugins.chat.openai import SILENCE, NoSystemError, ServerRefusedError, Written, begun, body, stream
from plugins.chat.sharing import Sharing
from plugins.chat.stream import ended


class Remote(Model[Generate, Answer]):
    """Runs as many jobs at once as the server takes, each in a thread of its own."""

    job = Generate

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self.concurrency = server.concurrency
        self.remote = server.elsewhere
        self._server = server
        self._managed = Managed(name, server) if server.command else None
        self._sharing = Sharing(name, server) if server.shares else None
        self._folds = False
        """Whether its model has refused a system message, and gets none from then on."""

    def memory(self) -> Memory:
        """What the operator says that it takes, where it can be given back; what cannot is not ours to count."""
        return Memory(0 if self._server.shares == "turns" else round(self._server.memory * 1e9))

    def load(self, placement: Placement) -> None:
        """Raises ValueError for a missing key, RuntimeError for a server that does not come up or does not load its model."""
        headers, until = self._headers(), time.monotonic() + placement.seconds
        if self._managed and not self._managed.start(lambda: time.monotonic() < until):
            raise RuntimeError(
                f"{self.name}: {self._server.url} did not answer in the {placement.seconds:.0f} s that who waits for it had left; "
                "loaded on the dashboard's page of models it gets all of its `patience`"
            )
        if self._sharing:
            self._sharing.take(headers, placement.seconds)

    def run(self, batch: Batch[Generate, Answer]) -> None:
        """Raises ServerRefusedError; a server of ours that has died is started again first. Who does not wait any more hangs up."""
        for work in batch:
            if self._up(work):
                while_wanted(work, self._write(work))

    def _up(self, work: Work[Generate, Answer]) -> bool:
        return self._managed is None or self._managed.start(lambda: not work.cancelled)

    def unload(self) -> None:
        """Stops a server of ours; has one that shares the device give its memory back."""
        if self._managed:
            self._managed.stop()
        if self._sharing:
            self._sharing.give_back(self._headers())

    async def _write(self, work: Work[Generate, Answer]) -> None:
        began = time.monotonic()
        written = await self._written(work)
        counts = {"prompt_tokens": written.prompt_tokens, "tokens": written.tokens}
        calls = written.calls
        text, seconds = "" if calls else _said(written, work.job), round(time.monotonic() - began, 3)
        work.finish(Answer(text=text, finish=written.finish, model=self.name, calls=calls, seconds=seconds, **counts))

    async def _written(self, work: Work[Generate, Answer]) -> Written:
        try:
            return await self._streamed(work)
        except NoSystemError:
            self._folds = True
            return await self._streamed(work)

    async def _streamed(self, work: Work[Generate, Answer]) -> Written:
        written = Written()
        asked = body(work.job, self._server.model or self.name, folded=self._folds)
        timeout = httpx.Timeout(SILENCE, connect=10.0)
        reached = httpx.AsyncClient(base_url=str(self._server.url), headers=self._headers(), timeout=timeout)
        async with reached as client, aclosing(stream(client, asked, begun(work.job.turns))) as pieces:
            async for written in pieces:
                work.emit(TextSoFar(text=_said(written, work.job)))
        return written

    def _headers(self) -> dict[str, str]:
        if not self._server.key:
            return {}
        if not (key := os.environ.get(self._server.key)):
            raise ValueError(f"{self.name}: expected the server's key in the environment variable {self._server.key}, found none")
        return {"Authorization": f"Bearer {key}"}


def _said(written: Written, job: Generate) -> str:
    """Without a stop string, which some servers send along."""
    return ended(written.text, job.stop, len(begun(job.turns))).strip()


__all__ = ["Remote", "ServerRefusedError"]
