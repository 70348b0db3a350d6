"""The operator's choices: which models, and how much they may take on at once. A server's own choices: `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator

from bot import Catalogue, ConfigError, Entry


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Server(_Table):
    """A program that speaks OpenAI's protocol: Ollama, vLLM, SGLang, llama.cpp, `transformers serve`, or a paid service."""

    url: HttpUrl
    """Where it answers, up to and with the version: `http://127.0.0.1:11434/v1`. What people write to this model goes there."""

    model: str = ""
    """The model's name at that server; empty is the name that it has here."""

    key: str = ""
    """The environment variable with the server's key; empty sends none."""

    concurrency: int = Field(default=4, ge=1, le=1000)
    """How many answers it writes at the same time."""

    command: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The command that starts it: `["llama-server", "-m", "model.gguf", "--port", "8080"]`. It then runs on the worker's device, takes
    turns with the models there, is stopped to make room and started again when it dies. Empty: it runs by itself."""

    shares: Literal["", "turns", "ollama", "vllm"] = ""
    """For a server that runs by itself, on the worker's device: with "turns" it writes only while no other model works there; "ollama" and
    "vllm" also give their memory back when others need it (Ollama by `keep_alive`; vLLM by its sleep mode, which wants
    `--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`). Empty: it runs elsewhere."""

    memory: float = Field(default=0.0, ge=0.0)
    """Gigabytes of the device that it takes while it runs, for a server with a `command` and for one that gives its memory back."""

    tools: bool = False
    """Its model can call tools, in the protocol's own form."""

    patience: float = Field(default=600.0, ge=1.0)
    """Seconds within which it must answer once it is started, or have loaded its model; where somebody waits for that, no more than their
    request has left."""

    @property
    def elsewhere(self) -> bool:
        """Whether the worker's device has nothing to do with it."""
        return not (self.command or self.shares)

    @model_validator(mode="after")
    def _one_way_to_make_room(self) -> Server:
        if self.command and self.shares:
            raise ValueError("expected `command` or `shares`: a server that Hobnob starts makes room by being stopped")
        return self


class Running(_Table):
    """How a model of the catalogue is run; without a table it is run as suits most."""

    precision: Literal["auto", "float32", "bfloat16", "int8", "int4"] = "auto"
    """What its weights are stored in. `auto` is 16 bits, or 32 on a processor that is quicker with these. 8 and 4 bits take `bitsandbytes`:
    less memory, and slower answers on a processor."""

    engine: Literal["auto", "batched", "continuous"] = "auto"
    """How answers are written side by side. `continuous` is transformers' own loop, which begins on CUDA where it proves that it computes
    the same; what cannot, and what has adapters, is `batched`."""

    compile: bool = False
    """Whether torch compiles it, which takes minutes at the first answers and needs a C++ compiler."""


class Config(_Table):
    """Read by the worker when it loads a model, and by the router to know which there are."""

    models: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=("smollm2-135m-instruct",), min_length=1)
    """The models that people may chat with, by their names in the catalogue or below `servers`. The first one answers where nobody has
    chosen."""

    max_batch: int = Field(default=16, ge=1, le=256)
    """How many answers a model writes at the same time. More of them are slower each, and faster together."""

    context: int = Field(default=2048, ge=512, le=1_048_576)
    """The most tokens of prompt and answer together; the model's own window, where that is smaller. Each answer that is
    being written keeps a cache of this size at most."""

    running: dict[str, Running] = {}
    """How a model is run, where not as suits most: `[plugins.chat.running.NAME]` with `precision`, `engine` and `compile`."""

    servers: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")], Server] = {}
    """Models that other programs run, by the names that they have here: `[plugins.chat.servers.big]` with `url`, `model`, `key` (an
    environment variable), `concurrency`; for one that Hobnob starts and stops `command`, for one that shares the worker's device
    `shares` ("turns", "ollama", "vllm"), and for both `memory` (GB) and `patience` (seconds)."""


@dataclass(frozen=True, slots=True)
class Served:
    """One model that people may chat with: of the catalogue, or behind a server."""

    name: str
    entry: Entry | None = None
    server: Server | None = None
    window: int | None = None
    """The most tokens of prompt and answer together; None where another program runs it, which alone knows."""

    @property
    def tuned(self) -> bool:
        """Whether it follows instructions."""
        return self.entry is None or self.entry.chat is None or self.entry.chat.tuned

    @property
    def tools(self) -> bool:
        """Whether it can call tools."""
        return self.server.tools if self.server else self.entry is not None and self.entry.chat is not None and bool(self.entry.chat.tools)

    @property
    def summary(self) -> str:
        """What people are told of it."""
        if self.entry is None:
            return f"runs at {self.server.url.host}" if self.server and self.server.elsewhere else "runs here"
        some = f", {', '.join(self.entry.languages[:12])}{'…' if len(self.entry.languages) > 12 else ''}" if self.entry.languages else ""
        return f"{self.entry.summary} ({self.entry.licence}{some})"


def served(config: Config, catalogue: Catalogue) -> list[Served]:
    """The chosen models. Raises ConfigError for one that nobody knows, or that does not chat."""
    found = [
        Served(name, server=config.servers[name]) if name in config.servers else _here(name, catalogue.find([name])[0], config.context)
        for name in config.models
    ]
    if wrong := [one.entry for one in found if one.entry and one.entry.kind != "chat"]:
        raise ConfigError(*(f"models: {entry.name} is a model for {entry.kind}, expected one for chat" for entry in wrong))
    bases = {one.entry.base or one.entry.name for one in found if one.entry}
    if stray := [name for name in config.running if name not in bases]:
        raise ConfigError(*(f"running.{name}: expected a model of `models`, or one below its adapters" for name in stray))
    if unnamed := [name for name in config.servers if name not in config.models]:
        raise ConfigError(
            *(f"servers.{name}: expected {name!r} among `models`, where the first one answers by default" for name in unnamed)
        )
    return found


def _here(name: str, entry: Entry, context: int) -> Served:
    return Served(name, entry, window=min(context, entry.chat.context if entry.chat else context))
