"""The models that Hobnob knows: names, facts, licences and sources, read from `config/models.toml` and what the operator added.

Bringing them here is in `bot/pull/`.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from bot.errors import ConfigError
from bot.image_facts import ImageFacts
from bot.inheriting import whole
from bot.origins import ROOT, Bytes, Hub, Shipped, Strict, Wheels

SHIPPED = ROOT / "config" / "models.toml"
"""The catalogue that comes with Hobnob."""


Use = Literal["private", "public", "commercial"]
"""What an operator may want a bot for: people they know, everybody free of charge, money."""

Precision = Literal["float32", "bfloat16", "int8", "int4"]

BITS: dict[Precision, float] = {"float32": 32, "bfloat16": 16, "int8": 8.25, "int4": 4.25}
"""Of a parameter; below 16 with the scales of groups of 128, as AWQ and GPTQ store them."""


class Licence(Strict):
    """What a licence lets an operator do, and what it asks of them, in sentences."""

    name: str
    uses: frozenset[Use]
    duties: tuple[str, ...] = ()


class ChatFacts(Strict):
    """How a language model is run and spoken to.

    `architecture` is its class in transformers. `parameters` and, among them, those of the `embedding`, which quantisation
    leaves alone; `cache` numbers are kept for each token of a conversation. `context` is the window in tokens, `positions` how
    it knows their order. A model that is not `tuned` continues text. `template` (Jinja) stands in for the folder's own;
    `cues` begin the turns in formats of plain text. An answer ends before any of `stops` and with any of the tokens in `ends`.
    """

    architecture: str
    parameters: Annotated[int, Field(gt=0)]
    embedding: Annotated[int, Field(ge=0)] = 0
    cache: Annotated[int, Field(ge=0)]
    context: Annotated[int, Field(gt=0)]
    positions: str = ""
    tuned: bool = True
    template: str = ""
    cues: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    repetition: Annotated[float, Field(ge=1.0, le=2.0)] = 1.0
    """By how much it is kept from saying again what it has said in an answer; for small models, which run in circles."""
    tools: bool = False
    """Whether it can call tools, in the form that its folder's template writes."""
    float16: bool = True
    """Whether its activations fit into float16."""

    def weights(self, precision: Precision) -> int:
        """Bytes of the weights; published figures are within a few percent."""
        bits = BITS[precision]
        kept = self.embedding if bits < 16 else 0
        return round((self.parameters - kept) * bits / 8 + kept * 2)


class SpeechFacts(Strict):
    """What a Whisper can do: its mel bins, parameters, and whether it `translates` into English; turbo and distilled ones do not."""

    mels: Literal[80, 128]
    parameters: Annotated[int, Field(gt=0)]
    translates: bool


class Entry(Strict):
    """One model. `disk` is the bytes of the finished folder; `languages` are ISO 639 codes.

    A `gated` repository wants its terms accepted first. One that is `gone` has to come from elsewhere, for the reason given.
    `uses` is what an operator has read in a licence that is not listed. An adapter (LoRA, in PEFT's format) names its `base`, the model
    that it lies on, whose facts are its own unless it says otherwise.
    """

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")]
    summary: str
    kind: Literal["chat", "speech", "image", "voice", "checker", "speakers"]
    family: str = ""
    licence: str
    disk: Bytes
    source: Annotated[Wheels | Hub | Shipped, Field(discriminator="type")]
    languages: tuple[str, ...] = ()
    gated: bool = False
    gone: str = ""
    uses: frozenset[Use] = frozenset()
    base: str = ""
    chat: ChatFacts | None = None
    image: ImageFacts | None = None
    speech: SpeechFacts | None = None

    @property
    def digest(self) -> str:
        """Changes whenever the source does, so that a folder made from an older one is known to be outdated."""
        chosen = isinstance(self.source, Hub) and self.source.weights
        told = self.source.model_dump_json(exclude=None if chosen else {"weights"})  # older digests know of none
        return hashlib.sha256(told.encode()).hexdigest()

    def folder(self, models_dir: Path) -> Path:
        """Where the model lies once it is here."""
        return self.source.path if isinstance(self.source, Shipped) else models_dir / self.name


class Catalogue(Strict):
    """All entries by name, the sets of them, and licences. `standing` is the order of merit of chat models, the best first."""

    sets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    standing: tuple[str, ...] = ()
    licences: dict[str, Licence] = Field(default_factory=dict)
    models: dict[str, Entry]

    @model_validator(mode="before")
    @classmethod
    def _entries_are_whole(cls, data: dict[str, Any]) -> dict[str, Any]:
        models = {name: whole(name, facts, data) for name, facts in data.get("models", {}).items() if isinstance(facts, dict)}
        return {**{key: value for key, value in data.items() if key not in ("families", "templates")}, "models": models}

    @model_validator(mode="after")
    def _sets_name_models(self) -> Catalogue:
        for name, members in self.sets.items():
            if name in self.models or not set(members) <= set(self.models):
                raise ValueError(f"the set {name!r} must differ from every model and name only models, found {', '.join(members)}")
        return self

    def find(self, names: Iterable[str]) -> list[Entry]:
        """The entries of these models and sets, each once. Raises ConfigError for a name that is neither."""
        return [self.models[name] for name in dict.fromkeys(name for asked in names for name in self._expand(asked))]

    def needed(self, names: Iterable[str]) -> list[Entry]:
        """As `find`, with the bases of adapters before them."""
        return self.find(name for entry in self.find(names) for name in (entry.base, entry.name) if name)

    def _expand(self, asked: str) -> tuple[str, ...]:
        if asked in self.models:
            return (asked,)
        if asked in self.sets:
            return self.sets[asked]
        known = [*self.sets, *self.models]
        near = difflib.get_close_matches(asked, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`hobnob models list` names them all, `hobnob models add` takes others"
        raise ConfigError(f"no model or set is called {asked!r}; {hint}")

    def licence(self, entry: Entry) -> Licence:
        """The terms of a model; what a licence that is not listed allows is private use, and what the entry says."""
        listed = self.licences.get(entry.licence.lower())
        read = f"Read the licence of {entry.name}; then say what it allows, as `uses` in the entry."
        terms = listed or Licence(name=entry.licence, uses=frozenset({"private"}), duties=() if entry.uses else (read,))
        return terms.model_copy(update={"uses": entry.uses}) if entry.uses else terms

    def refusal(self, entry: Entry, use: Use | None) -> str:
        """Why the model may not be run for this use, with another that may; "" when it may. None: the operator has not said.

        An adapter is bound by two licences.
        """
        if entry.base and (refused := self.refusal(self.models[entry.base], use)):
            return f"{entry.name} lies on {refused}"
        terms = self.licence(entry)
        if use in terms.uses or len(terms.uses) == len(get_args(Use)):
            return ""
        allowed = " and ".join(name for name in get_args(Use) if name in terms.uses)
        if use is None:
            return f"{entry.name} ({terms.name}) is for {allowed} use only: say with `use` under [models] in bot.toml what the bot is for"
        instead = self._instead(entry, use)
        return f"{entry.name} ({terms.name}) is for {allowed} use, and `models.use` is {use!r}" + (f"; take {instead}" if instead else "")

    def _instead(self, entry: Entry, use: Use) -> str:
        """The model most like it that may be used, "" for none."""
        size, tuned = _size(entry), entry.chat is None or entry.chat.tuned
        others = [
            other
            for other in self.models.values()
            if other.kind == entry.kind and use in self.licence(other).uses and not (other.gone or other.base)
        ]
        alike = [other for other in others if (other.chat is None or other.chat.tuned) == tuned]
        return min(alike, key=lambda other: abs(_size(other) - size)).name if alike else ""


def _size(entry: Entry) -> int:
    return entry.chat.parameters if entry.chat else entry.disk


def load(path: Path = SHIPPED, added: Path | None = None) -> Catalogue:
    """Reads a catalogue, and the entries in the folder `added`, one in each .toml file, which go before those of the same name.

    Raises ConfigError with every fault: file, key, what was expected.
    """
    document = _read(path)
    catalogue = _validated(document, path)
    files = sorted(added.glob("*.toml")) if added else []
    facts = document["models"] | {file.stem: {**document["models"].get(file.stem, {}), **_read(file)} for file in files}
    models = dict(catalogue.models)
    for file in files:
        entry = {name: facts[name] for name in (facts[file.stem].get("base"), file.stem) if name in facts}
        models |= _validated({**document, "sets": {}, "models": entry}, file).models
    return catalogue.model_copy(update={"models": models})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _validated(document: dict[str, Any], path: Path) -> Catalogue:
    try:
        return Catalogue.model_validate(document)
    except ValidationError as error:
        raise ConfigError(*(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())) from error
