"""Which models leave so that another fits."""

from __future__ import annotations

from bot.worker.residency import evictions


def test_nothing_leaves_while_there_is_room() -> None:
    assert evictions({"chat": 30, "speech": 20}, "image", 50, 100) == []


def test_who_was_used_longest_ago_leaves_first_and_no_more_than_needed() -> None:
    assert evictions({"chat": 30, "speech": 20, "other": 40}, "image", 50, 100) == ["chat", "speech"]
    assert evictions({"chat": 30, "speech": 20, "other": 40}, "image", 40, 100) == ["chat"]


def test_a_resident_model_displaces_nobody() -> None:
    assert evictions({"chat": 80, "speech": 80}, "chat", 80, 100) == []


def test_a_model_that_is_too_large_has_the_device_to_itself() -> None:
    assert evictions({"chat": 30, "speech": 20}, "giant", 500, 100) == ["chat", "speech"]
