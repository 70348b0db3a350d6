"""The public API is that of the last release, but for what the changelog announces."""

from __future__ import annotations

import re

import pytest

import bot
from tools.api import ROOT, TARGET, faults, lines

BEFORE = """# Hobnob 1.0.0, api = 1.
class Cat(Animal)
Cat.name: str
Cat.sleep -> None
Cat.sleep(hours: int = 8)
class Purring(Protocol)
async Purring.purr -> str
stroke -> None
stroke(cat: Cat)"""

RELEASED = "# Changelog\n\n## Unreleased\n\n* {}\n\n## 1.0.0\n\n* `Cat`.\n"


def now(*new: str, without: str = "") -> list[str]:
    return sorted({line for line in BEFORE.splitlines()[1:] if line != without} | set(new))


def test_nothing_has_changed_since_the_last_release_unannounced() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = faults(TARGET.read_text(encoding="utf-8"), lines(), changelog)
    assert not found, "announce it in CHANGELOG.md under Unreleased, by name in backticks:\n" + "\n".join(found)


def test_what_is_new_is_announced_by_its_name() -> None:
    new = now("Cat.sleep(*, deep: bool = False)")
    assert faults(BEFORE, new, RELEASED.format("Nothing.")) == ["Cat.sleep(*, deep: bool = False): new, and not announced"]
    assert faults(BEFORE, new, RELEASED.format("Cats sleep deeply (`Cat.sleep`).")) == []


@pytest.mark.parametrize(
    "changed",
    [
        now(without="stroke -> None"),
        now("Cat.sleep(hours: float = 8.0)", without="Cat.sleep(hours: int = 8)"),
        now("stroke(hand: Hand)"),
        now("Cat.age: int"),
        now("Purring.loud -> bool"),
    ],
)
def test_what_breaks_plugins_takes_a_new_api(changed: list[str]) -> None:
    announced = RELEASED.format("`Cat`, `Purring` and `stroke`.")
    assert [fault for fault in faults(BEFORE, changed, announced) if fault.endswith("breaks plugins that are written for api = 1")]
    assert faults(BEFORE.replace("api = 1", "api = 0"), changed, announced) == []


def test_what_asks_for_nothing_breaks_nothing() -> None:
    new = now("Cat.age: int = 0", "class Dog(Animal)", "Dog.name: str", "Dog.bark -> str", "Dog.bark(at: Cat)")
    assert faults(BEFORE, new, RELEASED.format("`Cat.age`, `Dog`.")) == []


def test_before_its_release_is_out_a_snapshot_binds_nobody() -> None:
    assert faults(BEFORE, now(without="stroke -> None"), "## Unreleased\n\n* Cats.\n") == []


def test_every_public_name_has_its_line() -> None:
    told = "\n".join(lines())
    assert {name for name in bot.__all__ if not re.search(rf"^(class |async |@\w+ )*{name}\b", told, re.MULTILINE)} == set()
