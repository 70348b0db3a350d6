"""What stands in the way of settings: the platform withholds what they need. Saving them is the affair of whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from bot.connector import Connector, Need, Needs, Objecting
from bot.messages import Address


async def objections(connector: Connector, to: Address, settings: BaseModel) -> list[str]:
    """A sentence for each thing that these settings need and the platform withholds there, with the click that changes it."""
    if not isinstance(connector, Objecting):
        return []
    found = [await connector.objection(to, need) for need in dict.fromkeys(needed(settings))]
    return [one for one in found if one is not None]


def needed(settings: BaseModel) -> Iterator[Need]:
    """What the settings need, by the annotations of their fields."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        for one in field.metadata:
            if isinstance(one, Needs) and (value in one.values if one.values else bool(value)):
                yield one.need
