"""What `make fuzz` found once stays mended, and each of its parsers takes a handful of what nobody would write."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import attack, kept
from tests.fuzz.targets import TARGETS

HANDFUL, SLOW = 40, 2


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_takes_what_nobody_would_write(name: str) -> None:
    target = TARGETS[name]
    for value in kept(name):
        target.check(value)
    _, broke, error = attack(target, SLOW if target.slow else HANDFUL, 7)
    assert error is None, repr(broke)
