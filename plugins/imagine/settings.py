"""A server's choices: what may be drawn here, how large, and by which model. The operator's choices: `config.py`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot import tr

Shape = Literal["square", "portrait", "landscape", "wide"]


def _listed(words: str) -> str:
    if len(words.split(",")) > 500:
        raise ValueError(tr("expected at most 500 words, separated by commas"))
    return re.sub(r"\s+", " ", words).strip()


class Settings(BaseModel):
    """Every field has a default; the operator may choose another in `[plugins.imagine.defaults]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = Field(default="", title="Model", max_length=64, json_schema_extra={"among": "models"})
    """Which model draws here; empty takes the operator's first."""

    size: Shape = Field(default="square", title="Shape")
    """The shape of a picture for which none was asked."""

    steps: int = Field(default=0, title="Steps", ge=0, le=200)
    """Steps of a picture for which no number was asked; 0 is what the model is made for."""

    most_number: int = Field(default=4, title="Most pictures", ge=1, le=4)
    """How many pictures one request may ask for."""

    most_steps: int = Field(default=50, title="Most steps", ge=1, le=200)
    """How many steps one request may ask for."""

    most_pixels: int = Field(default=2_000_000, title="Largest picture", ge=4096, le=16_000_000)
    """In pixels, width times height; what is larger is drawn smaller."""

    blocked: Annotated[str, AfterValidator(_listed)] = Field(default="", title="Blocked words", max_length=20_000)
    """Words that no prompt may have, separated by commas, in any case. A star stands for any ending: “gun, knive*”."""

    restricted: bool = Field(default=False, title="Age-restricted channels only")
    """Pictures are drawn only in channels that the platform calls age-restricted."""

    spoiler: bool = Field(default=False, title="Spoiler")
    """Pictures are hidden until somebody opens them; where the platform hides none, they come in an archive."""

    check: Literal["off", "spoiler", "block"] = Field(default="off", title="Check pictures")
    """A model looks at each picture before it is shown, where the operator has set one up. What it takes for unsafe is hidden until
    somebody opens it (`spoiler`), or not shown at all (`block`)."""

    label: bool = Field(default=True, title="Label")
    """A line below each picture says that a machine drew it. Its file always says so."""

    translate: bool = Field(default=False, title="Translate prompts")
    """The chat model puts prompts into English before they are drawn, and the answer shows what it made of them."""
