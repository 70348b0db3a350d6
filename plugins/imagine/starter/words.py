"""What the starter understands of a prompt, and the one form of words that it was trained with. Drawing is diffusers' business.

The words themselves: `vocabulary.py`. Nothing heavy is imported, so that the router can tell people at once what cannot be drawn.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from bot import tr
from plugins.imagine.starter.vocabulary import ALIASES, COLOURS, FILLERS, NEAR, NOUNS, POSITIONS, SHAPES, SIZES, THINGS

TOKENS = 12
"""The longest canonical prompt, in tokens of both encoders, padding included: `max_sequence_length` of the pipeline."""

SIDE = 128
"""Pixels of a side, the only size that the starter was trained with."""

MOST_STRANGE = 12
"""Unknown words of a prompt for which near ones are looked up; each takes about 5 ms."""

_KNOWN = frozenset((*COLOURS, *SIZES, *NOUNS, "top", "bottom", "left", "right", "center", "above", "inside"))
_SWAPPED = {"below": "above"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a picture; an empty string is what the prompt leaves open."""

    noun: str = ""
    colour: str = ""
    size: str = ""

    @property
    def text(self) -> str:
        """As the model was told."""
        return f"{self.size} {self.colour} {self.noun}"


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing at a `place`, which is one of POSITIONS, or two things in one of RELATIONS, on a colour."""

    items: tuple[Item, ...]
    place: str
    background: str

    @property
    def text(self) -> str:
        """The canonical prompt: `large red circle top left on white`, `small red cat left of large blue ring on white`."""
        return " ".join((self.items[0].text, self.place, *(item.text for item in self.items[1:]), "on", self.background))


@dataclass(frozen=True, slots=True)
class Understood:
    """What was read in a prompt. `known` are its words that the starter knows, `near` the others, each with known words close to it."""

    known: tuple[str, ...]
    near: Mapping[str, tuple[str, ...]]
    scene: Scene = field(repr=False)

    def canonical(self, seed: int) -> str:
        """The prompt as the model was taught to read it; what people left open is chosen by the seed, always in the same way."""
        return _completed(self.scene, random.Random(seed)).text  # noqa: S311 - a choice of colours needs no secrecy


def understood(prompt: str) -> Understood:
    """Reads a prompt of any length. A prompt with no `known` words is not worth drawing: say so, with what is `near`."""
    said = [(word, _meant(word)) for word in re.findall(r"[a-z]+", prompt.lower())]
    known = tuple(dict.fromkeys(word for _, word in said if word in _KNOWN))
    strange = dict.fromkeys(raw for raw, word in said if word not in _KNOWN and word not in FILLERS)
    return Understood(known, {word: near(word) for word in islice(strange, MOST_STRANGE)}, _read([word for _, word in said]))


def phrase(prompt: str, seed: int) -> str:
    """The prompt as the model was taught to read it."""
    return understood(prompt).canonical(seed)


def refusal(prompt: str) -> str:
    """Why a prompt cannot be drawn, with words that could be, in a sentence; empty when it can."""
    read = understood(prompt)
    if read.known:
        return ""
    close = list(dict.fromkeys(word for words in read.near.values() for word in words))[:5] or ["sun", "tree", "house", "cat", "heart"]
    return tr(
        "I draw from a few English words and found none that I know. Try {words}, with a colour, a size and a place.",
        words=", ".join(close),
    )


def near(word: str) -> tuple[str, ...]:
    """At most three known words, by meaning where there is one in the list, otherwise by spelling."""
    return NEAR.get(word) or tuple(difflib.get_close_matches(word, sorted({*_KNOWN, *ALIASES}), n=3, cutoff=0.7))


def _meant(word: str) -> str:
    """The starter's own word for it, in the singular; the word itself when it has none."""
    for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y"):
        meant = ALIASES.get(form, form)
        if meant in _KNOWN or meant in FILLERS:
            return meant
    return word


class _Reader:
    """Walks through the words once; adjectives wait for their noun."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.items: list[Item] = []
        self.relation = self.background = ""
        self.swapped = False
        self.rows: list[str] = []
        self.columns: list[str] = []
        self._open = Item()
        at = 0
        while at < len(words):
            at += self._take(at)
        if self.items:  # "a circle, red"
            last = self.items[-1]
            self.items[-1] = replace(last, colour=last.colour or self._open.colour, size=last.size or self._open.size)
        elif self._open != Item():
            self.items.append(self._open)

    def _take(self, at: int) -> int:
        """How many words were understood together."""
        word, after = self._words[at], self._words[at + 1 : at + 3]
        if word in ("left", "right") and after[:1] == ["of"]:
            return self._relate(f"{word} of", 2)
        if word == "on" and after == ["top", "of"]:
            return self._relate("above", 3)
        if word in ("above", "below") or word == "inside" or (word == "in" and self._noun_follows(at + 1)):
            return self._relate("inside" if word == "in" else word, 1)
        if word in ("on", "against") and self._ground_follows(at + 1):
            return self._ground(at)
        self._one(word)
        return 1

    def _relate(self, relation: str, words: int) -> int:
        if self.items and not self.relation:
            self.relation, self.swapped = _SWAPPED.get(relation, relation), relation in _SWAPPED
        return words

    def _one(self, word: str) -> None:
        if word in NOUNS:
            self.items.append(replace(self._open, noun=word))
            self._open = Item()
        elif word in COLOURS:
            self._open = replace(self._open, colour=word)
        elif word in SIZES:
            self._open = replace(self._open, size=word)
        elif word == "background" and self._open.colour:
            self.background, self._open = self._open.colour, replace(self._open, colour="")
        elif word in ("top", "bottom"):
            self.rows.append(word)
        elif word in ("left", "right", "center"):
            self.columns.append(word)

    def _following(self, at: int) -> Iterator[str]:
        return (word for word in self._words[at:] if word not in ("a", "an", "the"))

    def _noun_follows(self, at: int) -> bool:
        return next((word in NOUNS for word in self._following(at) if word not in SIZES and word not in COLOURS), False)

    def _ground_follows(self, at: int) -> bool:
        following = self._following(at)
        return next(following, "") in COLOURS and next(following, "") not in (*NOUNS, *COLOURS, *SIZES)

    def _ground(self, at: int) -> int:
        self.background = next(self._following(at + 1))
        return self._words.index(self.background, at) - at + 1


def _read(words: list[str]) -> Scene:
    reader = _Reader(words)
    items = tuple(reader.items[:2])
    if len(items) == 2:
        relation, swapped = (reader.relation, reader.swapped) if reader.relation else _placed(reader.rows, reader.columns)
        return Scene(items[::-1] if swapped else items, relation, reader.background)
    column = reader.relation.split()[0] if reader.relation in ("left of", "right of") else next(iter(reader.columns), "")
    place = " ".join(filter(None, [next(iter(reader.rows), ""), column if column != "center" or not reader.rows else ""]))
    return Scene(items or (Item(),), place, reader.background)


def _placed(rows: list[str], columns: list[str]) -> tuple[str, bool]:
    """The relation of two things that have places of their own, and whether the second one comes first; else they stand side by side."""
    if len(set(rows)) == 2:
        return "above", rows[0] == "bottom"
    return "right of" if columns[:1] == ["right"] or columns[1:] == ["left"] else "left of", False


def _completed(scene: Scene, chance: random.Random) -> Scene:
    """The scene with everything said; colours that would hide something are exchanged."""
    first, *others = (_filled(item, chance) for item in scene.items)
    usual = chance.choice((*POSITIONS, *("center",) * 9))
    grounds = chance.sample(COLOURS, len(COLOURS))
    likely = ["white", *grounds] if chance.random() < 0.5 else grounds
    if scene.place == "inside" and others:
        first, others = replace(first, size="small"), [replace(others[0], size="large")]
        if first.colour == others[0].colour:
            others = [replace(others[0], colour=next(colour for colour in grounds if colour not in (first.colour, scene.background)))]
    items = (first, *others)
    worn = {item.colour for item in items}
    ground = next(colour for colour in filter(None, [scene.background, *likely]) if colour not in worn)
    return Scene(items, scene.place or usual, ground)


def _filled(item: Item, chance: random.Random) -> Item:
    noun, colour = chance.choice(SHAPES), chance.choice(COLOURS)
    size = chance.choice(("medium", "large", "large"))
    noun = item.noun or noun
    return Item(noun, item.colour or THINGS.get(noun, colour), item.size or size)
