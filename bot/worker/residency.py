"""Decides which models leave the device's memory so that another fits. Loading and unloading them: `device.py`."""

from __future__ import annotations

from collections.abc import Mapping


def evictions(resident: Mapping[str, int], needed: str, size: int, room: int) -> list[str]:
    """The models to unload before `needed`, of `size` bytes, is loaded into `room` bytes.

    `resident` maps names to bytes, the one used longest ago first, and these leave first. A model that does not fit even
    alone is not refused here: its own load says what is missing, more exactly than an estimate can.
    """
    if needed in resident:
        return []
    leaving: list[str] = []
    used = sum(resident.values())
    for name, weight in resident.items():
        if used + size <= room:
            break
        leaving.append(name)
        used -= weight
    return leaving
