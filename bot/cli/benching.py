"""`hobnob models bench`: the same prompts to several chat models, one model after the other; answers side by side, time and memory."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Words

from bot import catalogue
from bot.config import Config, load
from bot.errors import ConfigError
from bot.jobs import Answer, Generate, Partial
from bot.messages import Blob, Text
from bot.models import Model, Placement
from bot.plugins import load as load_plugins
from bot.turns import Turn
from bot.worker.app import device_of

LONGEST = 300
"""Tokens of an answer."""

JUDGE = "Several assistants have answered the same question. Say which answer is the most correct and helpful: its number alone."


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: its words, seconds to the first of them and to the end, and its tokens."""

    text: str
    first: float
    seconds: float
    tokens: int


@dataclass(slots=True)
class Result:
    """What a model did with all prompts. `memory` is in bytes as the model measured it, `loading` in seconds; `votes` are the judge's."""

    model: str
    loading: float = 0.0
    memory: int = 0
    answers: list[Told] = field(default_factory=list)
    votes: int = 0


class Asked:
    """Implements `bot.models.Work` for one prompt, and `bot.models.Batch` for it alone."""

    def __init__(self, job: Generate) -> None:
        self.job = job
        self.cancelled = self.over = False
        self.answer: Answer | None = None
        self.fault = ""
        self.first = 0.0

    def __iter__(self) -> Iterator[Asked]:
        return iter((self,))

    def join(self, free: int) -> Sequence[Asked]:
        """Nobody comes later."""
        return ()

    def emit(self, partial: Partial) -> None:
        """Notes when the first words came."""
        self.first = self.first or time.perf_counter()

    def finish(self, result: Answer) -> None:
        """The answer."""
        self.answer = result

    def fail(self, reason: str) -> None:
        """Why there is none."""
        self.fault = reason

    refuse = fail

    def read(self, blob: Blob) -> bytes:
        """Prompts have no files."""
        raise ValueError(f"a prompt has no files, found {blob.name}")

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Answers have none either."""
        raise ValueError(f"an answer has no files, found {name}")


def bench(path: Path | None, names: Sequence[str], prompts: Path, judge: str, as_json: bool) -> None:
    """Asks every model every prompt, adapters too. Raises ConfigError for one that is not served, and for a file without prompts."""
    config = load(path)
    asked = [line.strip() for line in prompts.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    if not asked:
        raise ConfigError(f"{prompts}: expected a prompt on each line, found none")
    models = _models(config, [*names, *([judge] if judge else [])])
    results = [_result(name, models[name], asked, config) for name in names]
    if judge:
        _judge(judge, models[judge], asked, results, config)
    if as_json:
        typer.echo(json.dumps({"prompts": asked, "models": [asdict(result) for result in results]}, indent=2, ensure_ascii=False))
    else:
        _show(asked, results, judge)


def _models(config: Config, names: Sequence[str]) -> dict[str, Model[Any, Any]]:
    """By every name that people can choose: an adapter's is that of the model that it lies on."""
    found = [model for _, model in load_plugins(config, "model").collect("register_models") if model.job is Generate]
    served = {name: model for model in found for name in (model.name, *model.also)}
    if missing := [name for name in names if name not in served]:
        raise ConfigError(f"expected chat models that {config.source.path} serves ({', '.join(served)}), found {', '.join(missing)}")
    return served


def _result(name: str, model: Model[Any, Any], prompts: Sequence[str], config: Config) -> Result:
    result = Result(name)
    began = time.perf_counter()
    _load(name, model, config)
    result.loading = round(time.perf_counter() - began, 1)
    try:
        result.answers = [_told(name, model, Turn(role="person", parts=(Text(prompt),))) for prompt in prompts]
        result.memory = model.memory().weights + model.memory().cache
    finally:
        model.unload()
    return result


def _load(name: str, model: Model[Any, Any], config: Config) -> None:
    """With nothing on top of it but what was named. Raises ConfigError for what may not be used or is not here."""
    known = catalogue.load(added=config.models_dir)
    on_top = [name] if name in model.also else []
    entries = [known.models[one] for one in (model.weights, *on_top) if one]
    if refusals := [said for entry in entries if (said := known.refusal(entry, config.models.use))]:
        raise ConfigError(*refusals)
    folders = {entry.name: entry.folder(config.models_dir) for entry in entries}
    if absent := [one for one in on_top if not folders[one].is_dir()]:
        raise ConfigError(f"{absent[0]} is not here: hobnob models pull {absent[0]}")
    device = "remote" if model.remote else device_of(config)
    threads = config.worker.threads or os.cpu_count() or 1
    model.load(Placement(device, folders.get(model.weights), threads, {one: folders[one] for one in on_top}))


def _told(name: str, model: Model[Any, Any], *turns: Turn, most: int = LONGEST) -> Told:
    asked = Asked(Generate(turns=turns, model=name, max_tokens=most, temperature=0.0))
    began = time.perf_counter()
    model.run(asked)
    seconds = time.perf_counter() - began
    if asked.answer is None:
        return Told(f"({asked.fault})", seconds, seconds, 0)
    return Told(asked.answer.text, round((asked.first or began + seconds) - began, 2), round(seconds, 2), asked.answer.tokens)


def _judge(name: str, model: Model[Any, Any], prompts: Sequence[str], results: Sequence[Result], config: Config) -> None:
    """Shows it the answers without names and in an order of chance, so that neither counts."""
    _load(name, model, config)
    chance = random.Random(0)  # noqa: S311  an order, no secret
    try:
        for number, prompt in enumerate(prompts):
            order = chance.sample(list(results), len(results))
            answers = "\n\n".join(f"Answer {place}:\n{one.answers[number].text}" for place, one in enumerate(order, 1))
            said = Turn(role="person", parts=(Text(f"Question: {prompt}\n\n{answers}\n\nThe best answer is number"),))
            verdict = re.search(r"\d+", _told(name, model, Turn(role="system", parts=(Text(JUDGE),)), said, most=16).text)
            if verdict and 0 < int(verdict[0]) <= len(order):
                order[int(verdict[0]) - 1].votes += 1
    finally:
        model.unload()


def _show(prompts: Sequence[str], results: Sequence[Result], judge: str) -> None:
    console = Console(highlight=False)
    for number, prompt in enumerate(prompts):
        table = Table(*(result.model for result in results), title=Words(prompt), title_justify="left", expand=True)
        table.add_row(*(Words(result.answers[number].text) for result in results))
        console.print(table)
    figures = Table("model", "memory", "loaded in", "first words", "tokens/s", *(["votes"] if judge else []), box=None)
    for result in results:
        first = sum(told.first for told in result.answers) / len(result.answers)
        speed = sum(told.tokens for told in result.answers) / max(1e-9, sum(told.seconds for told in result.answers))
        votes = [f"{result.votes} of {len(prompts)}"] if judge else []
        figures.add_row(result.model, f"{result.memory / 1e9:,.2f} GB", f"{result.loading:g} s", f"{first:.2f} s", f"{speed:.1f}", *votes)
    console.print(figures)
