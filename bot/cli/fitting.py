"""Which chat models fit a machine and a wish, and how: pure functions. Looking at the machine and asking: `recommending.py`.

What runs beside the chat model: `lineup.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.catalogue import Catalogue, ChatFacts, Entry, Precision, Use
from bot.cli.lineup import Part, answering, lined_up, located
from bot.cli.machine import Machine
from bot.origins import Shipped
from bot.translation import later, tr, translated

Quality = Literal["fast", "balanced", "best"]

Task = Literal["chat", "tools", "image", "speech"]

SPEED: dict[Quality, float] = {"fast": 25.0, "balanced": 10.0, "best": 5.0}
"""Tokens a second that one person should have; people read at about 5."""

CONTEXT = 2048
"""Tokens of each conversation that is held at the same time."""

BESIDE = 1_000_000_000
"""Bytes of activations and libraries, on each card that takes part."""

FOUR_BITS = 4.85
"""Bits of a parameter in GGUF's Q4_K_M, which programs without a GPU read best."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: languages (ISO 639), how much speed may be given up for quality, for which use, by how many people at once.

    `tasks` are what the bot is to do; who wants "tools" chats with a model that can call them. `alone` leaves out what runs behind a
    server of its own.
    """

    languages: tuple[str, ...] = ("en",)
    quality: Quality = "balanced"
    use: Use = "private"
    people: int = 2
    tasks: tuple[Task, ...] = ("chat", "image", "speech")
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """One model on the ladder: how it would run, the bytes it takes, tokens a second; and why not, where it does not fit.

    `precision` is that of what is built in, also where it is too slow; None behind a server, and where it cannot run.
    """

    model: str
    how: str
    needs: int
    speed: float
    why_not: str = ""
    precision: Precision | None = None
    slow: bool = False
    """Whether it would fit, and answers too slowly alone."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The chat models from small to large, the line-up with the best that fits, and what to do next, in sentences."""

    ladder: tuple[Rung, ...]
    lineup: tuple[Part, ...]
    notes: tuple[str, ...]


def advise(catalogue: Catalogue, machine: Machine, wish: Wish) -> Advice:
    """The ladder of all chat models that follow instructions, and the line-up for this machine."""
    wanted = not {"chat", "tools"}.isdisjoint(wish.tasks)
    chats = [entry for entry in catalogue.models.values() if wanted and entry.chat and entry.chat.tuned and not entry.base]
    ladder = [_rung(catalogue, entry, entry.chat, machine, wish) for entry in sorted(chats, key=_parameters) if entry.chat]
    fitting = [rung for rung in ladder if not rung.why_not]
    best = min(fitting, key=lambda rung: _standing(catalogue, rung.model), default=None)
    others = _others(catalogue, wish)
    lineup = lined_up(machine, answering(best.model, best.how, best.needs, best.speed) if best else None, others)
    notes = [*(_languages(chats, wish) if wanted else ()), *_pictures(others, lineup)]
    return Advice(tuple(ladder), lineup, (*notes, *(_next(catalogue, machine, best, ladder) if wanted else ())))


def _parameters(entry: Entry) -> int:
    return entry.chat.parameters if entry.chat else 0


def _standing(catalogue: Catalogue, name: str) -> int:
    return catalogue.standing.index(name) if name in catalogue.standing else len(catalogue.standing)


@dataclass(frozen=True, slots=True)
class _Way:
    how: str
    size: int
    cards: int
    precision: Precision | None = None

    @property
    def number(self) -> int:
        """Bytes of a number of the cache."""
        return 4 if self.precision == "float32" else 2


def _ways(chat: ChatFacts, machine: Machine) -> Iterator[_Way]:
    """From the best to the smallest: whole on the largest card or the processor, in fewer bits there, then behind a server, over all cards.

    On a processor, fewer bits are slower than 16 in what is built in, and quicker in llama.cpp.
    """
    most, where = len(machine.cards), located(machine)
    yield _Way(f"{machine.usual} {where}", chat.weights(machine.usual), min(most, 1), machine.usual)
    if most:
        yield _Way(tr("8 bits {where}", where=where), chat.weights("int8"), 1, "int8")
        yield _Way(tr("4 bits {where}", where=where), chat.weights("int4"), 1, "int4")
    four = min(chat.weights("int4"), round(chat.parameters * FOUR_BITS / 8))
    for bits, size in ((8, chat.weights("int8")), (4, four)):
        for cards in range(min(most, 1), most + 1):
            over = tr("over {n} cards", n=cards) if cards > 1 else where
            yield _Way(tr("{bits} bits behind a server {over}", bits=bits, over=over), size, cards)


def _rung(catalogue: Catalogue, entry: Entry, chat: ChatFacts, machine: Machine, wish: Wish) -> Rung:
    cache = chat.cache * min(CONTEXT, chat.context) * wish.people
    ways = [
        (way, way.size + cache * way.number + BESIDE * max(1, way.cards)) for way in _ways(chat, machine) if way.precision or not wish.alone
    ]
    rungs = [Rung(entry.name, way.how, needs, round(machine.speed(way.size, way.cards), 1), precision=way.precision) for way, needs in ways]
    smallest = min(rungs, key=lambda rung: rung.needs)
    if unfit := _unfit(catalogue, entry, wish):
        return Rung(entry.name, "", smallest.needs, smallest.speed, unfit)
    roomy = [rung for rung, (way, needs) in zip(rungs, ways, strict=True) if needs <= machine.room(way.cards)]
    if not roomy:
        room = _gb(machine.room(len(machine.cards)))
        lacks = tr("needs {needs} even in 4 bits, and there are {room}", needs=_gb(smallest.needs), room=room)
        return Rung(entry.name, "", smallest.needs, smallest.speed, lacks)
    quick = [rung for rung in roomy if rung.speed >= SPEED[wish.quality]]
    if not quick:
        fastest = max(roomy, key=lambda rung: rung.speed)
        return replace(fastest, how="", why_not=tr("writes {n} tokens a second at best", n=f"{fastest.speed:g}"), slow=True)
    return quick[0]


def _unfit(catalogue: Catalogue, entry: Entry, wish: Wish) -> str:
    if refusal := catalogue.refusal(entry, wish.use):
        return refusal.partition(", and")[0]
    if entry.gone:
        return tr("has to come from elsewhere: {why}", why=entry.gone)
    if lacking := [language for language in wish.languages if entry.languages and language not in entry.languages]:
        return tr("does not know {languages}", languages=", ".join(lacking))
    return tr("cannot call tools") if "tools" in wish.tasks and entry.chat and not entry.chat.tools else ""


def _others(catalogue: Catalogue, wish: Wish) -> list[Entry]:
    """The models of other kinds that may be used; those that come with Hobnob, which are for a first try, after all others."""
    others = (entry for entry in catalogue.models.values() if entry.kind in wish.tasks and entry.kind != "chat")
    return sorted((entry for entry in others if not _unfit(catalogue, entry, wish)), key=lambda entry: isinstance(entry.source, Shipped))


def _languages(chats: Sequence[Entry], wish: Wish) -> Iterator[str]:
    for language in wish.languages:
        if not any(language in entry.languages for entry in chats):
            yield tr(
                "No model of the catalogue knows {language}: `hobnob models add OWNER/NAME` takes a model or an adapter that does.",
                language=language,
            )


def _pictures(others: Sequence[Entry], lineup: Sequence[Part]) -> Iterator[str]:
    """What draws whatever people ask for, where it is not in the line-up."""
    pictures = [entry for entry in others if entry.image and not isinstance(entry.source, Shipped)]
    if pictures and not any(part.model == entry.name for part in lineup for entry in pictures):
        least = min(pictures, key=lambda entry: entry.disk)
        yield tr(
            "{model} draws whatever people ask for; it takes a card with 14 GB, or a smaller one beside {needs} of main memory.",
            model=least.name,
            needs=_gb(least.disk),
        )


def _next(catalogue: Catalogue, machine: Machine, best: Rung | None, ladder: Sequence[Rung]) -> Iterator[str]:
    if best is None:
        if slow := [rung for rung in ladder if rung.slow]:
            quickest = max(slow, key=lambda rung: rung.speed)
            yield tr(
                "All that fit are slow here: {model} is the quickest, with {speed} tokens a second.",
                model=quickest.model,
                speed=f"{quickest.speed:.1f}",
            )
            return
        yield tr(
            "No model fits: add a smaller one with `hobnob models add`, or one that runs elsewhere, in a [plugins.chat.servers.NAME] table."
        )
        return
    if not machine.cards:
        yield translated(LLAMA_CPP)
    if best.precision is None:
        yield tr(
            "{model} in fewer bits runs behind a server like llama.cpp or vLLM, in a [plugins.chat.servers.NAME] table with a `command`.",
            model=best.model,
        )
    elif best.precision != machine.usual:
        yield tr('{model} runs in fewer bits with `precision` in its [plugins.chat.running."{model}"] table.', model=best.model)
    if _standing(catalogue, best.model) > BASIC:
        yield tr("What fits here is small and makes things up; better answers take a larger machine, or a model that runs elsewhere.")


LLAMA_CPP = later(
    "Without a GPU, llama.cpp writes about three times as fast as what is built in: it goes in a [plugins.chat.servers.NAME] table with a "
    "`command`."
)
"""Measured on two cores with the starter model, alone: 110 tokens a second with its Q4_1 file, 38 with transformers."""

BASIC = 4
"""The place in the catalogue's order of merit behind which answers are often wrong."""


def _gb(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"
