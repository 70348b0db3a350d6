"""Arguments as people type them."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from bot import BadArguments, NoArgs
from bot.router.arguments import parse, validate


class Draw(BaseModel):
    prompt: str
    size: Literal["wide", "tall", "square"] = "square"
    seed: Annotated[int, Field(ge=0)] | None = None
    fast_mode: bool = False


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a cat", {"prompt": "a cat"}),
        ("a cat --size wide --seed 7", {"prompt": "a cat", "size": "wide", "seed": "7"}),
        ("--size wide a cat\non a mat", {"prompt": "a cat\non a mat", "size": "wide"}),
        ("a cat —size wide", {"prompt": "a cat", "size": "wide"}),
        ("a cat —lying there", {"prompt": "a cat —lying there"}),
        ("a cat —lying there —seed 7", {"prompt": "a cat —lying there", "seed": "7"}),
        ("a cat --size=tall", {"prompt": "a cat", "size": "tall"}),
        ('--prompt "a cat" --seed 1', {"prompt": "a cat", "seed": "1"}),
        ("--prompt “a cat”", {"prompt": "a cat"}),
        ("a cat --fast-mode", {"prompt": "a cat", "fast_mode": "true"}),
        ("a well-known cat", {"prompt": "a well-known cat"}),
        ("", {}),
    ],
)
def test_options_are_found_and_the_rest_is_the_first_argument(typed: str, expected: dict[str, str]) -> None:
    assert parse(Draw, typed) == expected


def test_arguments_are_filled_in_with_their_defaults() -> None:
    assert validate(Draw, parse(Draw, "a cat --seed 7")) == {"prompt": "a cat", "size": "square", "seed": 7, "fast_mode": False}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "prompt: field required. Expected: <prompt> [--size] [--seed] [--fast-mode]"),
        ("a cat --size huge", "size: input should be 'wide', 'tall' or 'square'"),
        ("a cat --seed many", "seed: input should be a valid integer"),
        ("a cat --colour red", "There is no option --colour"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(typed: str, told: str) -> None:
    with pytest.raises(BadArguments) as fault:
        validate(Draw, parse(Draw, typed))
    assert str(fault.value).startswith(told)


def test_words_behind_a_command_without_arguments_are_too_much() -> None:
    with pytest.raises(BadArguments, match=r"“please” is too much\. It takes no arguments\."):
        parse(NoArgs, "please")


def test_the_fault_quotes_a_megabyte_only_in_part() -> None:
    with pytest.raises(BadArguments) as fault:
        parse(NoArgs, "x" * 1_000_000)
    assert len(str(fault.value)) < 200
