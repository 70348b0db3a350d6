"""What commands, buttons and the tool take; `/imagine` has options that fit the models which are served. What follows: `front.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from bot import tr
from plugins.imagine.rules import LONGEST, clean
from plugins.imagine.served import Served
from plugins.imagine.sizes import checked


def _words(text: object) -> object:
    """Raises where nothing is left to draw, or too much."""
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST:
        raise ValueError(tr("expected at most {most} characters, found {found}", most=f"{LONGEST:,}", found=f"{len(text):,}"))
    words = clean(text)
    if not words:
        raise ValueError(tr("expected words that say what to draw, found none"))
    return words


def _size(size: str) -> str:
    return checked(size) if size else ""


Prompt = Annotated[str, BeforeValidator(_words), Field(min_length=1, max_length=LONGEST)]


class ImagineArgs(BaseModel):
    """What every model takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    prompt: Prompt = Field(json_schema_extra={"quotes": True})
    """What to draw, in words."""

    size: Annotated[str, AfterValidator(_size)] = ""
    """square, portrait, landscape, wide, or width and height in pixels, as in 768x512."""

    number: int = Field(default=1, ge=1, le=4)
    """How many pictures."""

    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    """A number that the picture follows from: the same one draws the same again."""

    steps: int | None = Field(default=None, ge=1, le=200)
    """In how many steps it is drawn; more take longer."""

    expand: bool = False
    """The chat model writes the prompt out first; the answer shows what it made of it."""


class RestyleArgs(BaseModel):
    """What `/restyle` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    prompt: Annotated[str, BeforeValidator(lambda text: _words(text) if text else ""), Field(max_length=LONGEST)] = ""
    """What is to become of the picture, in words; empty keeps the words that it was drawn from."""


class RecipeArgs(BaseModel):
    """What `/recipe` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    id: str = Field(default="", max_length=40)
    """The eight letters below a picture; empty reads the recipe from the picture that is attached or replied to."""


class Drawing(BaseModel):
    """What the tool takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    prompt: Prompt
    """What to draw, in words."""


class Below(BaseModel):
    """What the buttons below pictures carry: their recipes, who asked, and for Vary which of them is meant."""

    recipes: tuple[str, ...]
    asker: str
    which: int = 0


class Edited(Below):
    """And for Edit prompt the words that it is to be drawn from now."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    prompt: Prompt
    """What to draw, in words."""


def args_for(models: Iterable[Served], styles: Sequence[str]) -> type[ImagineArgs]:
    """The options that at least one of these models heeds."""
    facts = [model.facts for model in models]
    more: dict[str, Any] = {}
    if any(one.guidance is not None for one in facts):
        words = "How closely to follow the words; each model has its usual strength."
        more["guidance"] = (float | None, Field(default=None, ge=0.0, le=30.0, description=words))
    if any(one.negative for one in facts):
        more["negative"] = (Annotated[str, Field(max_length=LONGEST)], Field(default="", description="What must not be in the picture."))
    if styles:
        more["style"] = (Literal[tuple(styles)] | None, Field(default=None, description="The style to draw it in."))
    return create_model("ImagineArgs", __base__=ImagineArgs, __doc__=ImagineArgs.__doc__, **more) if more else ImagineArgs
