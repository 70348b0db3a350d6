"""The operator's choices: how carefully Whisper listens, and how long. A server's own choices: `settings.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot import Catalogue, ConfigError, Entry


class Config(BaseModel):
    """`longest` is read by the router, the others by the worker when it loads the model."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    models: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=("whisper-base",), min_length=1)
    """The models that listen, by their names in the catalogue; one that is loaded is taken before others."""

    batch: int = Field(default=8, ge=1, le=64)
    """How many short notes it listens to at the same time."""

    beam: int = Field(default=5, ge=1, le=10)
    """How many readings of the sound are followed at once. 1 is a third faster and mishears a little more."""

    compute: Literal["auto", "int8", "int8_float16", "float16", "float32"] = "auto"
    """The numbers it computes with; `auto` takes int8 on a CPU, and on a GPU float16, or what an older one has instead."""

    voices: str | None = None
    """A model that tells voices apart, in servers that want that: a network for speakers of the catalogue, such as `speakers-resnet34`. It
    takes the extra `speakers`."""

    longest: int = Field(default=3600, ge=10, le=14_400)
    """Seconds of the longest recording that is written down; a server's own limit may be less, and starts at 900."""


def served(config: Config, catalogue: Catalogue) -> list[Entry]:
    """The chosen models. Raises ConfigError for one that nobody knows, or that does not listen."""
    found = catalogue.find(config.models)
    if wrong := [entry for entry in found if entry.kind != "speech"]:
        raise ConfigError(*(f"models: {entry.name} is a model for {entry.kind}, expected one for speech" for entry in wrong))
    return found


def voices(config: Config, catalogue: Catalogue) -> Entry | None:
    """The model that tells voices apart, where the operator wants one. Raises ConfigError for one that nobody knows, or that cannot."""
    if config.voices is None:
        return None
    [entry] = catalogue.find([config.voices])
    if entry.kind != "speakers":
        raise ConfigError(f"voices: {entry.name} is a model for {entry.kind}, expected one of the kind speakers")
    return entry
