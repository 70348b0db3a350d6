"""How a picture was drawn, exactly enough to draw it again: in the picture's file, and behind a short id. Drawing: `engine.py`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from bot import Draw, tr

NAME = "hobnob"
"""The text of a PNG that holds a recipe."""


class Recipe(BaseModel):
    """What went in, what drew, and what came out.

    `versions` are those of the libraries; `device` is its class and what else the last bits depend on; `rows` is how many pictures the
    forward pass had, of which this was number `row`. `reference`, `style_digest` and `pixels` are SHA-256 of the picture that it began
    with, of the style's file, and of what was drawn. A server elsewhere tells its `cost`, and no seed of it draws the same twice.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: str
    negative: str = ""
    seed: int
    width: int
    height: int
    steps: int
    guidance: float | None = None
    style: str = ""
    style_digest: str = ""
    model: str
    revision: str = ""
    precision: str = ""
    fit: str = ""
    device: str = ""
    versions: Mapping[str, str] = {}
    rows: int = 1
    row: int = 0
    reference: str = ""
    strength: float | None = None
    cost: str = ""
    pixels: str = ""
    made_by: str = "a machine"

    @property
    def id(self) -> str:
        """Eight letters and digits that follow from all of it."""
        digest = hashlib.blake2b(self.model_dump_json().encode(), digest_size=5).digest()
        return base64.b32encode(digest).decode().lower()

    def job(self) -> Draw:
        """What draws it again, without the picture that it may have begun with."""
        return Draw(
            model=self.model,
            prompt=self.prompt,
            negative=self.negative,
            size=(self.width, self.height),
            steps=self.steps,
            guidance=self.guidance,
            seed=self.seed,
            style=self.style or None,
            strength=self.strength,
            batch=(self.rows, self.row),
        )


def read(text: str) -> Recipe | None:
    """The recipe that somebody's file claims to have; None for anything else."""
    try:
        return Recipe.model_validate_json(text)
    except ValidationError:
        return None


def differences(before: Recipe, now: Recipe) -> Iterator[str]:
    """What drew it then and draws otherwise now, in words."""
    for what, then, today in (
        (tr("the model's files"), before.revision[:12], now.revision[:12]),
        (tr("the precision"), before.precision, now.precision),
        (tr("the fit"), before.fit, now.fit),
        (tr("the device"), before.device, now.device),
        (tr("the style's file"), before.style_digest[:12], now.style_digest[:12]),
        *((name, before.versions.get(name, ""), now.versions.get(name, "")) for name in sorted({*before.versions, *now.versions})),
    ):
        if then != today:
            yield tr("{what} ({then} then, {now} now)", what=what, then=then or tr("none"), now=today or tr("none"))
