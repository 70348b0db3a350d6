"""The operator's choices: which models, and how much they may take on at once. A server's own choices: `settings.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot import Catalogue, ConfigError, Entry


class Config(BaseModel):
    """Read by the worker when it loads a model, and by the router to know which there are."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    models: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=("smollm2-135m-instruct",), min_length=1)
    """The models that people may chat with, by their names in the catalogue. The first one answers where nobody has chosen."""

    max_batch: int = Field(default=16, ge=1, le=256)
    """How many answers a model writes at the same time. More of them are slower each, and faster together."""

    context: int = Field(default=2048, ge=512, le=1_048_576)
    """The most tokens of prompt and answer together; the model's own window, where that is smaller. Each answer that is
    being written keeps a cache of this size at most."""


def served(config: Config, catalogue: Catalogue) -> list[Entry]:
    """The chosen models. Raises ConfigError for one that nobody knows, or that does not chat."""
    entries = catalogue.find(config.models)
    if wrong := [f"models: {entry.name} is a model for {entry.kind}, expected one for chat" for entry in entries if entry.kind != "chat"]:
        raise ConfigError(*wrong)
    return entries
