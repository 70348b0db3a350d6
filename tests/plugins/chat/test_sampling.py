"""The choice of the next token."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.chat.sampling import LIKELY, Rule, choose

SEEDS = st.integers(0, 2**32)


def rule(temperature: float = 1.0, top_p: float = 1.0, seed: int | None = None) -> Rule:
    return Rule(temperature, top_p, random.Random(seed))


def logits(*probabilities: float) -> torch.Tensor:
    return torch.tensor([probabilities]).log()


def test_temperature_0_takes_the_likeliest() -> None:
    assert choose(torch.tensor([[1.0, 3.0, 2.0], [5.0, 3.0, 2.0]]), [rule(0.0), rule(0.0)]) == [1, 0]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    given_rule = rule(seed=1)
    counts = Counter(choose(logits(0.2, 0.5, 0.3), [given_rule])[0] for _ in range(2000))
    assert [counts[token] / 2000 for token in range(3)] == pytest.approx([0.2, 0.5, 0.3], abs=0.04)


def test_a_low_temperature_sharpens() -> None:
    given_rule = rule(0.25, seed=1)
    counts = Counter(choose(logits(0.4, 0.6), [given_rule])[0] for _ in range(500))
    assert counts[1] / 500 == pytest.approx(0.6**4 / (0.6**4 + 0.4**4), abs=0.05)


def test_a_temperature_close_to_0_does_not_overflow() -> None:
    assert choose(torch.tensor([[1000.0, -1000.0, 999.0]]), [rule(1e-6)]) == [0]


def test_what_was_said_is_less_likely_and_the_logits_stay_as_they_are() -> None:
    given_logits = torch.tensor([[2.0, 1.9, -1.0], [2.0, 1.9, -1.0]])
    kept = given_logits.clone()
    rules = [Rule(0.0, 1.0, random.Random(), 1.1, {0, 2}), rule(0.0)]
    assert choose(given_logits, rules) == [1, 0]
    assert torch.equal(given_logits, kept)
    assert choose(torch.tensor([[-1.0, -1.05]]), [Rule(0.0, 1.0, random.Random(), 1.1, {0})]) == [1]


@given(seed=SEEDS)
def test_nothing_outside_the_nucleus_is_drawn(seed: int) -> None:
    assert choose(logits(0.5, 0.3, 0.15, 0.05), [rule(top_p=0.75, seed=seed)])[0] in {0, 1}


@given(seed=SEEDS, top_p=st.floats(0.001, 1.0))
def test_a_nucleus_is_never_empty(seed: int, top_p: float) -> None:
    assert choose(logits(0.7, 0.2, 0.1), [rule(top_p=top_p, seed=seed)])[0] in range(3)


def test_a_nucleus_wider_than_the_likely_tokens_is_found_whole() -> None:
    flat = torch.zeros((1, LIKELY * 4))
    given_rule = rule(seed=1)
    assert len({choose(flat, [given_rule])[0] for _ in range(2000)}) > LIKELY * 2


@settings(max_examples=50)
@given(seed=SEEDS, company=st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.1, 1.0)), max_size=6), place=st.integers(0, 6))
def test_a_seed_gives_the_same_tokens_in_any_company(seed: int, company: list[tuple[float, float]], place: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    mine = torch.randn((10, 300), generator=generator) * 3
    alone, together = rule(0.8, 0.9, seed), rule(0.8, 0.9, seed)
    others = [rule(temperature, top_p) for temperature, top_p in company]
    place = min(place, len(others))
    rules = [*others[:place], together, *others[place:]]
    for step in mine:
        crowd = torch.randn((len(rules), 300), generator=generator)
        crowd[place] = step
        assert choose(crowd, rules)[place] == choose(step[None], [alone])[0]
