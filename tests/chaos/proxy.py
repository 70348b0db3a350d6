"""A TCP proxy that loses, delays and cuts what passes through it. When it does which: `faults.py`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["", "lose request", "lose reply", "silence"]


@dataclass(eq=False)
class Pair:
    """A client's connection and the one to the server that goes with it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    trouble: Trouble = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def cut(self) -> None:
        """Ends both at once, as a cable does."""
        for writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """Passes everything between its own port and the server's, as long as nobody asks for trouble."""

    def __init__(self, server_port: int, rng: random.Random) -> None:
        self.port = 0
        self.delay = 0.0
        """Seconds that every piece takes on its way."""
        self._server_port = server_port
        self._rng = rng
        self._pairs: set[Pair] = set()
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens on a free port of the loopback interface."""
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cuts everything."""
        assert self._listening is not None
        self._listening.close()
        tasks = [task for pair in self._pairs for task in pair.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hit(self, what: Callable[[Pair], None], share: float) -> int:
        """Does this to a share of the connections, at least one where there is any; how many."""
        pairs = list(self._pairs)
        victims = self._rng.sample(pairs, min(len(pairs), max(1, round(len(pairs) * share))))
        for pair in victims:
            what(pair)
        return len(victims)

    def heal(self) -> None:
        """Cuts what is in trouble, so that its owners connect anew."""
        for pair in [pair for pair in self._pairs if pair.trouble]:
            pair.cut()

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:  # the server is away
            client.transport.abort()
            return
        pair = Pair(client, server)
        pair.tasks = [
            asyncio.create_task(self._pump(pair, reader, server, "lose request")),
            asyncio.create_task(self._pump(pair, answers, client, "lose reply")),
        ]
        self._pairs.add(pair)
        try:
            await asyncio.gather(*pair.tasks, return_exceptions=True)
        finally:
            self._pairs.discard(pair)
            pair.cut()

    async def _pump(self, pair: Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter, loses: Trouble) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if pair.trouble == loses:
                    pair.cut()
                    return
                if pair.trouble != "silence":
                    sink.write(piece)
                    await sink.drain()
            if sink.can_write_eof():
                sink.write_eof()
