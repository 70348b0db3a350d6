"""What a server chooses for the plugin that implements every hook."""

from typing import Literal

from pydantic import BaseModel


class Settings(BaseModel):
    """All of it."""

    tone: Literal["kind", "curt"] = "kind"
    length: int = 3
