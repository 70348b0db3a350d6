"""The operator's choices: how carefully Whisper listens, and how long. A server's own choices: `settings.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """`longest` is read by the router, the others by the worker when it loads the model."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    beam: int = Field(default=5, ge=1, le=10)
    """How many readings of the sound are followed at once. 1 is a third faster and mishears a little more."""

    compute: Literal["auto", "int8", "int8_float16", "float16", "float32"] = "auto"
    """The numbers it computes with; `auto` takes int8 on a CPU and float16 on a GPU."""

    longest: int = Field(default=3600, ge=10, le=14_400)
    """Seconds of the longest recording that is written down; a server's own limit may be less, and starts at 900."""
