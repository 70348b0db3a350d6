"""The models of a machine side by side: what stays in memory, what a swap takes, how long people wait. The chat model: `fitting.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.catalogue import Entry, SpeechFacts
from bot.cli.machine import DISK, HOST, Machine
from bot.image_facts import ImageFacts, ImagePlan
from bot.translation import tr

Kind = Literal["chat", "image", "speech"]

ANSWER = 200
"""Tokens of the answer whose wait is told."""

NOTE = 10
"""Seconds of the voice note whose wait is told."""

PATIENCE = 120.0
"""Seconds that nobody waits longer for a picture: a model that takes them is not proposed."""

PATCH = 16
"""Pixels of a side that a transformer sees as one token."""

EIGHT_BITS = 2.25
"""By how much they are slower: 50 steps of FLUX.1 [dev] took 27 s where bfloat16 and NF4 took 12, on an H100."""

BUS = 4e9
"""Bytes a second of weights that come and go: with its parts on the host until they are needed, the same picture took 8 s longer."""

FRAMES = 50
"""What Whisper's encoder sees of a second of sound."""

ENCODER = 0.4
"""The part of a Whisper's parameters that is its encoder; of base it is less, of turbo more."""

SPOKEN = 3.5
"""Tokens that are written down of a second of speech."""

READ = 0.25
"""The part of the memory's bandwidth that reading the decoder reaches, five ways side by side: large-v2 on an RTX 3070 Ti is twelve times
as fast as speech."""


@dataclass(frozen=True, slots=True)
class Part:
    """One model of the line-up; it is loaded when somebody needs it, in `swap` seconds, unless it `stays`."""

    model: str
    kind: Kind
    how: str
    needs: int
    stays: bool
    swap: float
    wait: float
    """Seconds until somebody has what they asked for: an answer of 200 tokens, a picture of the usual size, the words of a note of 10 s."""

    @property
    def waits(self) -> str:
        """The same in words."""
        asked = {"chat": tr("{n} tokens", n=ANSWER), "image": tr("a picture"), "speech": tr("a note of {n} s", n=NOTE)}
        return tr("{what} in {n} s", what=asked[self.kind], n=f"{self.wait:g}")


@dataclass(frozen=True, slots=True)
class _Seat:
    """How a model that is no chat model would run; `needs` are the bytes that it takes of the device at once."""

    kind: Kind
    how: str
    needs: int
    wait: float


def lined_up(machine: Machine, chat: Part | None, others: Iterable[Entry]) -> tuple[Part, ...]:
    """The chat model, and the first of every other kind that has room here by itself."""
    seats: dict[Kind, tuple[Entry, _Seat]] = {}
    for entry in others:
        if (seat := _seat(entry, machine)) is not None:
            seats.setdefault(seat.kind, (entry, seat))
    parts, room = [chat] if chat else [], machine.room(len(machine.cards))
    for kind in sorted(seats, reverse=True):
        entry, seat = seats[kind]
        stays = sum(part.needs for part in parts) + seat.needs <= room
        parts.append(Part(entry.name, kind, seat.how, seat.needs, stays, told(entry.disk / DISK), told(seat.wait)))
    return tuple(parts)


def answering(model: str, how: str, needs: int, speed: float) -> Part:
    """The chat model, which stays; `speed` in tokens a second."""
    return Part(model, "chat", how, needs, True, told(needs / DISK), told(ANSWER / speed))


def told(seconds: float) -> float:
    """As exact as such a forecast is."""
    return max(0.1, round(seconds, 1)) if seconds < 100 else float(round(seconds))


def _seat(entry: Entry, machine: Machine) -> _Seat | None:
    """None where there is no room, or nobody would wait so long."""
    seat = _drawing(entry.image, machine) if entry.image else _hearing(entry, entry.speech, machine) if entry.speech else None
    fits = seat is not None and seat.needs <= machine.room(min(len(machine.cards), 1)) and seat.wait <= PATIENCE
    return seat if fits else None


def _drawing(facts: ImageFacts, machine: Machine) -> _Seat | None:
    """As the worker plans it."""
    plan = facts.planned(machine.room(min(len(machine.cards), 1)), on="cuda" if machine.cards else "cpu")
    if plan.host > machine.memory * HOST:
        return None
    tokens = (facts.side / PATCH) ** 2 + facts.tokens
    work = 2 * facts.denoiser * tokens * facts.steps * (2 if facts.negative else 1)
    slower = EIGHT_BITS if plan.fit == "int8" else 1.0
    return _Seat("image", _painted(plan, machine), plan.device, machine.seconds(work) * slower + _moved(facts, plan) / BUS)


def _moved(facts: ImageFacts, plan: ImagePlan) -> int:
    """Bytes of weights that come to the device for a picture."""
    times = {"offload": 1, "group": facts.steps}.get(plan.fit, 0)
    return 2 * (facts.encoders * min(times, 1) + facts.denoiser * times)


def _painted(plan: ImagePlan, machine: Machine) -> str:
    where = located(machine)
    match plan.fit:
        case "int8":
            return tr("8 bits {where}", where=where)
        case "nf4":
            return tr("4 bits {where}", where=where)
        case "offload" | "group":
            return tr("bfloat16 in parts {where}", where=where)
    return f"{plan.precision} {where}"


def _hearing(entry: Entry, facts: SpeechFacts, machine: Machine) -> _Seat:
    """As CTranslate2 runs it where nothing else is chosen."""
    heard = machine.seconds(2 * facts.parameters * ENCODER * FRAMES * NOTE)
    size = facts.parameters * (2 if machine.where else 1)
    written = SPOKEN * NOTE * size / (READ * (machine.where or machine).bandwidth)
    return _Seat("speech", f"{'float16' if machine.where else 'int8'} {located(machine)}", entry.disk, heard + written)


def located(machine: Machine) -> str:
    """Where models run that are not spread over several cards."""
    return tr("on {card}", card=machine.where.name) if machine.where else tr("on the processor")
