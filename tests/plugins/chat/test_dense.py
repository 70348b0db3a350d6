"""What takes more tokens than it was estimated to: the worker cuts the question and what tools said, and drops neither."""

from __future__ import annotations

import pytest

from bot.catalogue import load
from plugins.chat.forms import Template
from plugins.chat.prompt import PromptFormat
from tests.plugins.chat.arrivals import person
from tests.plugins.chat.families import tokenizer
from tests.plugins.chat.test_tools import LLAMA, TIME, TURNS

DENSE = {"numbers": "7,1," * 400, "code": "x[i]=f(a,b)+{'k':1};\n" * 300}
"""More tokens than they are estimated to be; a template may write code with more signs than it has."""


@pytest.mark.parametrize("dense", DENSE)
@pytest.mark.parametrize(("asks", "tells"), [(1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("times", [1, 4])
def test_a_question_and_what_tools_said_to_it_lose_their_ends_where_they_take_more_than_was_estimated(
    dense: str, asks: int, tells: int, times: int
) -> None:
    question, said = f"What time is it? {DENSE[dense] * asks}", f"It is noon. {DENSE[dense] * tells}"
    words, chat = tokenizer(LLAMA), load().models[LLAMA].chat
    persona, _, called, told = TURNS
    told = told.model_copy(update={"parts": person(said).parts})
    asked = (persona, person("Old words. " * 200, "Bob", tokens=400), person(question, tokens=400))
    for budget in range(700, 1100, 31):
        prompt = PromptFormat(Template(words, chat)).encode((*asked, *[called, told] * times), budget, (TIME,))
        text = words.decode(prompt.tokens)
        assert len(prompt.tokens) <= budget and text.count("It is noon.") == times
        assert text.count("What time is it?") == 1
        assert (question.strip() in text) == (not asks) and "Old words." not in text
