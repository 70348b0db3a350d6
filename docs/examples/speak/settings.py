"""What may differ from server to server. What the operator chooses: `config.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Every field has a default, and admins change them in the chat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(default=1.0, ge=0.5, le=2.0, description="How fast it speaks; 2 is twice as fast.")
    longest: int = Field(default=600, ge=50, le=2000, description="The most characters that it reads aloud.")
