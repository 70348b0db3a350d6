"""The operator's choices: which models draw, how they fit into memory, which styles there are. A server's own choices: `settings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from bot import ImageFit

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Server(_Table):
    """FLUX.1 [pro] and its like, which Black Forest Labs runs. What people ask for, and the pictures they begin with, go there."""

    model: str = "flux-pro-1.1"
    """The model's name at that server."""

    region: Literal["", "eu", "us"] = ""
    """Where the work must be done; empty leaves it to the server."""

    key: str = "BFL_API_KEY"
    """The environment variable with the server's key."""

    url: HttpUrl | None = None
    """Another server that speaks the same protocol, up to and with the version; it then has no `region`."""

    concurrency: int = Field(default=8, ge=1, le=24)
    """How many pictures are asked for at the same time; the server takes 24."""

    tolerance: int = Field(default=2, ge=0, le=6)
    """What its own check of prompts and pictures lets pass: 0 is the strictest."""


class Config(_Table):
    """Read by the router to know which models there are, and by the worker when it loads one."""

    models: tuple[Name, ...] = Field(default=("flux-starter",), min_length=1)
    """The models that draw, by their names in the catalogue or below `servers`; `flux-starter` comes with Hobnob, and knows
    some sixty words. The first one draws where a server has chosen none."""

    fit: ImageFit = "auto"
    """How a model fits into the memory of a GPU: `full` (bfloat16), `int8` or `nf4` (8 and 4 bits), `offload` (one part at a time on the
    device) or `group` (a few layers at a time). `auto` takes the first of these that fits."""

    max_batch: int = Field(default=4, ge=1, le=16)
    """How many requests of one size are drawn at the same time."""

    styles: dict[Name, Path] = {}
    """LoRA files (.safetensors) by the names that people give as `--style`. A relative path counts from the folder of the models."""

    checker: Name | None = None
    """A model that looks at pictures before they are shown, in servers that want that: a classifier of the catalogue, such as
    `nsfw-vit`, or any of transformers with an entry of its own."""

    unsafe: tuple[str, ...] = Field(default=("nsfw", "porn", "hentai", "sexy"), min_length=1)
    """Its labels for what is not for everybody."""

    servers: dict[Name, Server] = {}
    """Models that are drawn with elsewhere, by the names that they have here: `[plugins.imagine.servers.pro]` with `model`, `region`,
    `key` (an environment variable), `url`, `concurrency` and `tolerance`."""
