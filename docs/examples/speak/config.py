"""What the operator chooses. What a server chooses: `settings.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Read once, at the start of each process."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = "mms-tts-eng"
    """The voice, by its name in the catalogue: a VITS in transformers' format, which `hobnob models pull` brings."""
