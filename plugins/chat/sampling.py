"""Chooses the next token of every row from its logits; each row has its own rules and its own randomness. Who asks: `engine.py`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

LIKELY = 128
"""Tokens among which the nucleus nearly always lies; finding them costs a tenth of sorting a whole vocabulary."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one request wants its tokens chosen; `temperature` 0 is greedy. Each choice takes one number from `random`.

    The tokens in `said`, those of the answer so far, are `repetition` times less likely (Keskar et al., 2019); 1 leaves them alone.
    """

    temperature: float
    top_p: float
    random: random.Random
    repetition: float = 1.0
    said: set[int] = field(default_factory=set)


def choose(logits: torch.Tensor, rules: Sequence[Rule]) -> list[int]:
    """One token for each row of `logits` [rows, vocabulary]."""
    logits = _weighed(logits.float(), rules)
    chosen: list[int] = logits.argmax(-1).tolist()
    drawn = [row for row, rule in enumerate(rules) if rule.temperature > 0]
    if drawn:
        temperatures = torch.tensor([rules[row].temperature for row in drawn], device=logits.device)
        # Divided before the softmax, and shifted before that: a temperature near 0 must not overflow.
        shifted = logits[drawn] - logits[drawn].amax(-1, keepdim=True)
        probabilities = (shifted / temperatures[:, None]).softmax(-1)
        top = probabilities.topk(min(LIKELY, probabilities.shape[-1]))
        for index, row in enumerate(drawn):
            chosen[row] = _draw(rules[row], top.values[index], top.indices[index], probabilities[index])
    return chosen


def _weighed(logits: torch.Tensor, rules: Sequence[Rule]) -> torch.Tensor:
    """Where somebody does not want to repeat itself, a copy in which what was said counts less."""
    rows = [row for row, rule in enumerate(rules) if rule.repetition != 1.0 and rule.said]
    logits = logits.clone() if rows else logits
    for row in rows:
        said = torch.tensor(sorted(rules[row].said), device=logits.device)
        before, by = logits[row, said], rules[row].repetition
        logits[row, said] = torch.where(before > 0, before / by, before * by)
    return logits


def _draw(rule: Rule, values: torch.Tensor, tokens: torch.Tensor, probabilities: torch.Tensor) -> int:
    """Draws from the nucleus: the likeliest tokens that have `top_p` of the probability together (Holtzman et al., 2020)."""
    sums = values.double().cumsum(0)
    if float(sums[-1]) < rule.top_p:
        values, tokens = probabilities.sort(descending=True)
        sums = values.double().cumsum(0)
    last = min(int(torch.searchsorted(sums, rule.top_p)), len(sums) - 1)
    point = rule.random.random() * float(sums[last])
    at = int(torch.searchsorted(sums, point, right=True))
    return int(tokens[min(at, last)])
