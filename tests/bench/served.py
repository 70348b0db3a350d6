"""Servers with the starter model, asked by several people at once: what else there is to answer them. Ours: `whole.py`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gguf
import httpx

from bot.config import load
from plugins.chat.config import Config
from plugins.chat.engine import Engine
from plugins.chat.openai import body
from tests.bench.ways import Run, job
from tests.bench.whole import TOKENS, Asker, Crowd
from tests.environments import Uninstallable, environment
from tests.llama_file import write
from tests.ports import free_port

LLAMA_CPP = "xllamacpp==2026.10.11549"
"""Has llama.cpp's server, in one wheel."""

READY = 120.0
"""Seconds in which it must have loaded the model."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A server's process, and its address once it is up: several start beside one another, before anything is measured."""

    process: subprocess.Popen[bytes]
    url: str

    def wait(self) -> None:
        """Until it is up. Raises RuntimeError when that does not happen."""
        deadline = time.monotonic() + READY
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health", timeout=5.0).is_success:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a server did not come up: {self.process.args!r}")
            time.sleep(0.2)


class Server:
    """Where it is, what it calls the model, and who asks."""

    def __init__(self, begun: Begun, model: str, crowd: Crowd) -> None:
        self._begun = begun
        self._url = f"{begun.url}/v1"
        self._model = model
        self._crowd = crowd

    def ready(self) -> None:
        """Returns when it has the model. Raises RuntimeError for one that does not come up."""
        self._begun.wait()

    def answered(self, count: int) -> Run:
        """Raises httpx.HTTPError for one that does not answer."""
        return asyncio.run(self._all(count))

    async def _all(self, count: int) -> Run:
        began = time.perf_counter()
        async with httpx.AsyncClient(base_url=self._url, timeout=600.0) as client:
            answers = await asyncio.gather(*(self._one(client, asker) for asker in self._crowd.people(count)))
        firsts, tokens = zip(*answers, strict=True)
        return Run.of(count, time.perf_counter() - began, (first - began for first in firsts), tokens=sum(tokens))

    async def _one(self, client: httpx.AsyncClient, asker: Asker) -> tuple[float, int]:
        """When its first words came, and of how many tokens it was; nothing keeps a server from ending an answer early."""
        first, tokens = 0.0, 0
        async with client.stream("POST", "chat/completions", json=body(job(asker), self._model)) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    told = json.loads(line.removeprefix("data: "))
                    words = any(choice["delta"].get("content") for choice in told["choices"])
                    first = first or (time.perf_counter() if words else 0.0)
                    tokens = (told.get("usage") or {}).get("completion_tokens", tokens)
        assert 0 < tokens <= TOKENS, f"an answer has {tokens} tokens"
        return first, tokens


@contextmanager
def transformers(crowd: Crowd) -> Iterator[Server]:
    """`transformers serve`, begun and not waited for, until the block ends."""
    folder = load().models_dir / Config().models[0]
    program = Path(sys.executable).with_name("transformers")
    with serving(lambda port: [str(program), "serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]) as begun:
        yield Server(begun, str(folder), crowd)


@contextmanager
def llama_cpp(crowd: Crowd, engine: Engine) -> Iterator[Server | None]:
    """llama.cpp's own server with the engine's weights in 8 bits, as above; None where it cannot be installed, and says why."""
    try:
        python = environment("llama.cpp", LLAMA_CPP)
    except Uninstallable as fault:
        print(f"left out: {fault}", file=sys.stderr)  # noqa: T201
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        words, kind = engine.speakers.first._tokenizer, gguf.GGMLQuantizationType.Q8_0
        file = write(Path(folder) / "starter.gguf", engine.model, words, kind, pre="smollm")
        with serving(lambda port: [str(python), str(Path(__file__).with_name("llama_cpp.py")), str(file), str(port)]) as begun:
            yield Server(begun, "starter", crowd)


@contextmanager
def serving(command: Callable[[int], list[str]]) -> Iterator[Begun]:
    """What this command starts for a port, until the block ends."""
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command(port), env={**os.environ, "HF_HUB_OFFLINE": "1"}, **quiet) as process:  # type: ignore[call-overload]
        try:
            yield Begun(process, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
