"""What is recommended to which machine."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue import Catalogue, Precision, load
from bot.cli.fitting import Advice, Wish, advise
from bot.cli.machine import Card, Machine
from bot.cli.recommending import bandwidth, look, parsed, recommend
from bot.errors import ConfigError

GB = 10**9
RTX = 1.01e12
CPU: tuple[Precision, ...] = ("float32", "bfloat16")

MACHINES = {
    "no GPU": Machine(16 * GB, 4e10),
    "8 GB": Machine(32 * GB, 4e10, (Card("RTX 4060", 8 * GB, 3e11, 6e13),)),
    "12 GB": Machine(32 * GB, 4e10, (Card("RTX 4070", 12 * GB, 5e11, 1.2e14),)),
    "24 GB": Machine(64 * GB, 4e10, (Card("RTX 4090", 24 * GB, RTX, 1.65e14),)),
    "2x24 GB": Machine(64 * GB, 4e10, (Card("RTX 4090", 24 * GB, RTX, 1.65e14), Card("RTX 4090", 24 * GB, RTX, 1.65e14))),
    "80 GB": Machine(256 * GB, 1e11, (Card("H100", 80 * GB, 3.35e12, 9.9e14),)),
}

GOLDEN = {
    "no GPU": ("gemma-1.1-2b-it", "4 bits behind a server on the processor", 2.6, 15.8),
    "8 GB": ("llama-3.1-8b-instruct", "4 bits behind a server on RTX 4060", 6.4, 37.0),
    "12 GB": ("llama-3.1-8b-instruct", "4 bits on RTX 4070", 7.3, 51.6),
    "24 GB": ("llama-3.1-8b-instruct", "bfloat16 on RTX 4090", 17.6, 37.7),
    "2x24 GB": ("llama-3.1-8b-instruct", "bfloat16 on RTX 4090", 17.6, 37.7),
    "80 GB": ("llama-3.1-70b-instruct", "4 bits on H100", 42.9, 49.5),
}

WAITS = {
    "no GPU": ("flux-starter", "float32 on the processor", True, 12.7, 0.9, 0.1),
    "8 GB": ("flux-starter", "bfloat16 on RTX 4060", True, 5.4, 0.1, 0.1),
    "12 GB": ("flux-starter", "bfloat16 on RTX 4070", True, 3.9, 0.1, 0.1),
    "24 GB": ("flux.1-schnell", "8 bits on RTX 4090", False, 5.3, 0.1, 12.5),
    "2x24 GB": ("flux.1-schnell", "8 bits on RTX 4090", True, 5.3, 0.1, 12.5),
    "80 GB": ("flux.1-schnell", "bfloat16 on H100", False, 4.0, 0.1, 0.9),
}
"""What draws, how, whether it stays, and the seconds of an answer, a note and a picture. The last agrees with what is told of an H100."""


def advised(machine: str, **wish: Any) -> Advice:
    return advise(load(), MACHINES[machine], Wish(**wish))


@pytest.mark.parametrize("machine", GOLDEN)
def test_the_best_that_fits_leads_the_line_up(machine: str) -> None:
    name, how, needs, speed = GOLDEN[machine]
    advice = advised(machine)
    chat, speech, *pictures = advice.lineup
    (rung,) = [rung for rung in advice.ladder if rung.model == name]
    assert (chat.model, chat.how, round(chat.needs / GB, 1), rung.speed) == (name, how, needs, speed)
    assert (speech.model, speech.stays) == ("whisper-base", True)
    (picture,) = pictures
    assert (picture.model, picture.how, picture.stays, chat.wait, speech.wait, picture.wait) == WAITS[machine]
    assert (picture.waits, speech.waits) == (f"a picture in {picture.wait:g} s", f"a note of 10 s in {speech.wait:g} s")
    assert [each.needs > 0 for each in advice.ladder].count(True) == len(advice.ladder)


def test_what_does_not_fit_says_why() -> None:
    why = {rung.model: rung.why_not for rung in advised("24 GB", languages=("de",), use="commercial").ladder}
    assert why["llama-3.1-70b-instruct"] == "needs 42.9 GB even in 4 bits, and there are 21.6 GB"
    assert why["bloomz-7b1"] == "does not know de"
    assert why["mpt-7b-chat"] == "mpt-7b-chat (CC BY-NC-SA 4.0) is for private and public use"
    assert why["mpt-7b-instruct"].startswith("has to come from elsewhere")
    assert why["llama-3.1-8b-instruct"] == ""
    assert advised("no GPU").ladder[-1].why_not.startswith("needs 224.")
    assert {rung.model: rung.why_not for rung in advised("no GPU").ladder}["llama-3.1-8b-instruct"] == "writes 4.9 tokens a second at best"


def test_quality_is_bought_with_speed() -> None:
    picks = [advised("no GPU", quality=quality).lineup[0].model for quality in ("fast", "balanced", "best")]
    assert picks == ["bloomz-1b1", "gemma-1.1-2b-it", "gemma-1.1-2b-it"]


def test_a_language_decides_and_one_that_nobody_knows_is_said() -> None:
    assert advised("24 GB", languages=("sw",)).lineup[0].model == "bloomz-7b1"
    assert advised("24 GB", languages=("ja",)).notes[0].startswith("No model of the catalogue knows ja: `hobnob models add OWNER/NAME`")
    assert advised("24 GB", languages=("ja",)).lineup[0].kind == "speech"


def test_the_next_step_is_named() -> None:
    pictures, quicker, server, small = advised("no GPU").notes
    assert pictures.startswith("flux.1-schnell draws whatever people ask for; it takes a card with 14 GB")
    assert quicker.startswith("Without a GPU, llama.cpp writes about three times as fast")
    assert "llama.cpp or vLLM, in a [plugins.chat.servers.NAME] table" in server
    assert small.startswith("What fits here is small")
    assert advised("24 GB").notes == ()
    slow = advise(load(), Machine(16 * GB, 5e8), Wish()).notes
    assert slow[-1].startswith("All that fit are slow here: smollm2-135m-instruct is the quickest, with 3.")
    assert advise(load(), Machine(GB // 10, 2e9), Wish()).notes[-1].startswith("No model fits")


def test_what_it_is_to_do_decides_what_is_proposed() -> None:
    assert [part.kind for part in advised("80 GB", tasks=("speech",)).lineup] == ["speech"]
    assert not (advised("no GPU", tasks=("speech",)).ladder or advised("no GPU", tasks=("speech",)).notes)
    calling = {rung.model: rung.why_not for rung in advised("24 GB", tasks=("tools",)).ladder}
    assert calling["gemma-1.1-7b-it"] == "cannot call tools" and calling["llama-3.1-8b-instruct"] == ""
    assert advised("8 GB", tasks=("tools", "speech")).lineup[0].model == "llama-3.1-8b-instruct"


def test_a_processor_computes_in_what_it_is_quicker_in() -> None:
    machine = MACHINES["no GPU"]
    exact, short = (advise(load(), replace(machine, dtype=dtype), Wish(alone=True)).ladder for dtype in CPU)
    small = [next(rung for rung in ladder if rung.model == "smollm2-135m-instruct") for ladder in (exact, short)]
    assert [(rung.how, rung.precision) for rung in small] == [(f"{dtype} on the processor", dtype) for dtype in CPU]
    assert small[0].speed == pytest.approx(small[1].speed / 2, rel=0.01)
    assert small[0].needs - small[1].needs > 2 * 134_000_000, "twice the weights, and twice the cache"


def test_cards_are_read_from_what_the_driver_says() -> None:
    found = parsed("NVIDIA L4, 23034\nNVIDIA H100 80GB HBM3, 81559\nsomething else\n")
    assert [(card.name, card.memory >> 20, card.bandwidth) for card in found] == [
        ("NVIDIA H100 80GB HBM3", 81_559, 3.35e12),
        ("NVIDIA L4", 23_034, 3.0e11),
    ]


@pytest.mark.parametrize(
    ("name", "bandwidth"),
    [
        ("NVIDIA L40S", 8.64e11),
        ("NVIDIA L40", 8.64e11),
        ("NVIDIA L4", 3.0e11),
        ("NVIDIA A100-SXM4-80GB", 2.04e12),
        ("NVIDIA GeForce RTX 4090", 1.01e12),
        ("NVIDIA GH200 480GB", 4.0e12),
    ],
)
def test_a_card_is_known_by_a_whole_word_of_its_name(name: str, bandwidth: float) -> None:
    assert parsed(f"{name}, 46068\n")[0].bandwidth == bandwidth


def test_the_memory_is_measured() -> None:
    assert 1e8 < bandwidth() < 1e13


def test_programs_get_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "bot.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n[models]\nuse = "public"\n')
    recommend(config, "", "en", "balanced", "", 2, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["wish"]["use"] == "public"
    assert {"machine", "wish", "ladder", "lineup", "notes"} == set(said)
    with pytest.raises(ConfigError, match="--quality: expected one of fast, balanced, best, found 'good'"):
        recommend(config, "", "en", "good", "", 2, as_json=True)
    with pytest.raises(ConfigError, match="--task: expected one of chat, tools, image, speech, found 'paint'"):
        recommend(config, "chat, paint", "en", "fast", "", 2, as_json=True)


def test_at_a_terminal_it_asks_for_what_no_option_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is usual for whoever only presses Enter; and it goes by what is answered."""
    config = tmp_path / "bot.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n')
    asked: dict[str, str] = {}
    answers = {"Speed": "best", "Languages": "de", "What the bot is for": "commercial"}

    def prompt(question: str, default: str) -> str:
        asked[question] = default
        return next((answer for begins, answer in answers.items() if question.startswith(begins)), default)

    wishes: list[Wish] = []

    def noted(known: Catalogue, machine: Machine, wish: Wish) -> Advice:
        wishes.append(wish)
        return advise(known, machine, wish)

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("bot.cli.recommending.advise", noted)
    monkeypatch.setattr("bot.cli.recommending.look", lambda: MACHINES["no GPU"])
    recommend(config, "", "", "", "", 2, as_json=False)
    assert list(asked.values()) == ["chat,image,speech", "en", "balanced", "private"]
    assert (wishes[0].languages, wishes[0].quality, wishes[0].use) == (("de",), "best", "commercial")
    asked.clear()
    recommend(config, "chat", "en", "fast", "public", 2, as_json=False)
    assert not asked and wishes[1].quality == "fast"


@pytest.mark.parametrize("trial", ["exec sleep 60", "echo no JSON", "exit 1"])
def test_a_processor_that_cannot_be_tried_is_like_one_without_a_model_library(
    trial: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{trial}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr("bot.cli.recommending.TRIED", 0.5)
    monkeypatch.setattr("bot.cli.recommending.cards", tuple)
    machine = look()
    assert machine == Machine(machine.memory, machine.bandwidth)
