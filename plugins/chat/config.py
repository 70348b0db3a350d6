"""The operator's choices: which model, and how much it may take on at once. A server's own choices: `settings.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """Read by the worker when it loads the model."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = Field(default="smollm2-135m-instruct", min_length=1)
    """The chat model, by its name in the catalogue."""

    max_batch: int = Field(default=16, ge=1, le=256)
    """How many answers are written at the same time. More of them are slower each, and faster together."""

    context: int = Field(default=2048, ge=512, le=1_048_576)
    """The most tokens of prompt and answer together; the model's own window, where that is smaller. Each answer that is
    being written keeps a cache of this size at most."""
