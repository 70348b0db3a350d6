"""Decides which models leave the device's memory so that another fits, and which of them stay in host memory. Moving them: `device.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Held:
    """A model in memory. `size` is what it takes on the device, `host` what its weights take when they are parked, in bytes.

    A `host` of 0 cannot be parked. One that is not `resident` is parked; whoever was parked once is `copied`: the host's copy
    stays until the model is unloaded, so parking it again takes no more.
    """

    size: int
    host: int = 0
    resident: bool = True
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes room, in this order: `drop` parked weights from the host, `park` and `unload` what is on the device."""

    drop: list[str] = field(default_factory=list)
    park: list[str] = field(default_factory=list)
    unload: list[str] = field(default_factory=list)


def plan(held: Mapping[str, Held], needed: str, size: int, room: int, spare: int) -> Plan:
    """What to do before `needed`, of `size` bytes, is brought into a device of `room` bytes, while the host has `spare` bytes left.

    `held` has the one used longest ago first, and these leave first. Of those that leave, the one used last is the first to
    be parked; to that end the host drops what was used before it. A model that does not fit even alone is not refused here:
    its own load says what is missing, more exactly than an estimate can.
    """
    made, order = Plan(), list(held)
    for name in reversed(_leaving(held, needed, size, room)):
        one = held[name]
        older = [other for other in order[: order.index(name)] if _idle(held[other]) and other not in (needed, *made.drop)]
        dropped = [] if one.copied else _dropped(held, older, one.host - spare)
        if not one.host or dropped is None:
            made.unload.append(name)
            continue
        made.park.append(name)
        made.drop.extend(dropped)
        spare += sum(held[other].host for other in dropped) - (0 if one.copied else one.host)
    return made


def _leaving(held: Mapping[str, Held], needed: str, size: int, room: int) -> list[str]:
    resident = {name: one.size for name, one in held.items() if one.resident}
    leaving: list[str] = []
    if needed in resident:
        return leaving
    used = sum(resident.values())
    for name, taken in resident.items():
        if used + size <= room:
            break
        leaving.append(name)
        used -= taken
    return leaving


def _idle(one: Held) -> bool:
    return not one.resident


def _dropped(held: Mapping[str, Held], older: Sequence[str], missing: int) -> list[str] | None:
    """Which of the parked to drop so that so many bytes are found; None when all of them are not enough."""
    dropped: list[str] = []
    for name in older:
        if missing <= 0:
            break
        dropped.append(name)
        missing -= held[name].host
    return dropped if missing <= 0 else None
