"""The operator's choices: how carefully Whisper listens. A server's own choices: `settings.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """Read by the worker when it loads the model."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    beam: int = Field(default=5, ge=1, le=10)
    """How many readings of the sound are followed at once. 1 is a third faster and mishears a little more."""

    compute: Literal["auto", "int8", "int8_float16", "float16", "float32"] = "auto"
    """The numbers it computes with; `auto` takes int8 on a CPU and float16 on a GPU."""
