"""What settings need of a platform is found in their annotations, and what it withholds is said."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel

from bot.connector import Need, Needs
from bot.messages import Address
from bot.router.objections import needed, objections
from bot.tables import Talking
from bot.testing.platform import Platform

LOUNGE = Address("room", "lounge", "main")


class Settings(BaseModel):
    """A policy, each choice with what it takes."""

    policy: Annotated[Literal["off", "reaction", "always"], Needs("every_message", ("always",)), Needs("reactions", ("reaction",))] = "off"


class Deaf(Platform):
    """A platform that withholds everything but reactions."""

    async def objection(self, to: Address, need: Need) -> str | None:
        return "I hear nothing." if need == "every_message" else None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), []),
        (Settings(policy="always"), ["every_message"]),
        (Settings(policy="reaction"), ["reactions"]),
        (Talking(), []),
        (Talking(listens=True, words=("hob",)), ["every_message"] * 2),
    ],
)
def test_what_a_setting_needs_depends_on_what_is_chosen(settings: BaseModel, expected: list[Need]) -> None:
    assert list(needed(settings)) == expected


async def test_what_is_withheld_is_said_once() -> None:
    assert await objections(Deaf(), LOUNGE, Talking(listens=True, follows=True)) == ["I hear nothing."]
    assert await objections(Deaf(), LOUNGE, Settings(policy="reaction")) == []
    assert await objections(Platform(), LOUNGE, Talking(listens=True)) == []
