"""What is made of measurements: figures with their range, a page that hides nothing, JSON for programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench import report
from tests.bench.__main__ import LONG, PARTS, main
from tests.bench.figures import Figure, keep, kept, measured
from tests.bench.race import Finish, Ran
from tests.bench.remembered import Remembered


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)


def test_a_figure_is_the_median_with_its_range() -> None:
    one = Figure.of([4.0, 1.0, 2.0], "s", goal=1.5, better="lower")
    assert (one.value, one.low, one.high, one.n, one.missed) == (2.0, 1.0, 4.0, 3, True)
    assert one.told == ("2 s", "≤ 1.5", "3", "1 to 4")


def test_what_may_never_happen_is_told_by_the_worst_run() -> None:
    one = Figure.most([0.0, 3.0, 0.0], "jobs", goal=0.0)
    assert (one.value, one.low, one.n, one.missed) == (3.0, 0.0, 3, True)


def test_what_was_kept_is_read_again() -> None:
    part = measured(lambda: {"waits · ours": Figure.of([1.0], "s")})
    keep("core", part)
    assert kept("core") == part and kept("chat") is None


def test_the_page_names_what_misses_its_goal_where_others_are_ahead_and_what_was_not_measured() -> None:
    figures = {
        "pickup · ours": Figure.of([2.0], "ms", goal=1.0, better="lower"),
        "pickup · theirs": Figure.of([0.5], "ms", better="lower"),
        "jobs/s · ours": Figure.of([9.0], "jobs/s", better="higher"),
        "jobs/s · theirs": Figure.of([3.0], "jobs/s", better="higher"),
        "busy · ours": Figure.of([0.1], "of the time"),
        "busy · theirs": Figure.of([0.2], "of the time"),
    }
    report.write({name: measured(lambda: figures) if name == "queue" else None for name in PARTS + LONG})
    page = report.PAGE.read_text(encoding="utf-8")
    lost = page.partition("## Where we lose")[2].partition("## Queue")[0]
    assert (
        "pickup · ours: 2 ms, goal ≤ 1" in lost
        and "ours 2 ms, ahead of it theirs 0.5 ms" in lost
        and "jobs/s" not in lost
        and "busy" not in lost
    )
    assert 'x-axis ["ours", "theirs"]\n    bar [2, 0.5]' in page
    assert "recordings" in page.partition("## Not measured")[2]


def test_the_page_says_why_a_goal_is_missed_where_that_was_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.sizes.CAUSES", {"bytes": "half of them are names."}, raising=False)
    figures = {name: Figure.of([2.0], "bytes", goal=1.0, better="lower") for name in ("bytes", "keys")}
    report.write({"sizes": measured(lambda: figures)})
    lost = report.PAGE.read_text(encoding="utf-8").partition("## Where we lose")[2].splitlines()
    assert lost[2:4] == [
        "* sizes, bytes: 2 bytes, goal ≤ 1. Looked into on two cores: half of them are names.",
        "* sizes, keys: 2 bytes, goal ≤ 1.",
    ]


def test_a_part_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["queue", "nonsense"])
    assert "nonsense" in capsys.readouterr().err


def test_programs_get_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.sizes.measure", lambda: {"bytes": Figure.of([1.0], "bytes")})
    assert main(["--json", "sizes"]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"]["figures"]["bytes"]["value"] == 1.0


def test_what_a_network_computed_without_chance_is_recalled_of_the_very_same_and_forgotten_afterwards() -> None:
    asked: list[tuple[str, float]] = []

    class Network:
        device = "cpu"

        def encode(self, features: np.ndarray) -> np.ndarray:
            asked.append(("encode", features[0]))
            return features * 2

        def generate(self, encoded: np.ndarray, prompts: list[list[int]], **how: float) -> str:
            asked.append(("generate", how.get("sampling_temperature", 0.0)))
            return f"{encoded[0]:g} {prompts}"

    def heard(sound: float, prompt: int, temperature: float = 0.0) -> str:
        chance = {"sampling_temperature": temperature} if temperature else {}
        return str(network.generate(network.encode(np.array([sound])), [[prompt]], **chance))

    network = Remembered(Network())
    assert network.device == "cpu"
    heard(3.0, 1)
    with network.noting():
        first = [heard(3.0, 1), heard(3.0, 1, temperature=0.2), heard(4.0, 1)]
        asked.clear()
        with network.recalling():
            assert [heard(3.0, 1), heard(4.0, 1)] == [first[0], first[2]] and not asked
            heard(3.0, 1, temperature=0.2), heard(4.0, 2), heard(5.0, 1)
        assert asked == [("generate", 0.2), ("generate", 0.0), ("encode", 5.0), ("generate", 0.0)]
    with network.noting(), network.recalling():
        asked.clear()
        heard(3.0, 1)
        assert len(asked) == 2


async def test_a_slow_queue_is_measured_by_the_jobs_that_are_asked_for_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    class Slow:
        async def connect(self, url: str, ran: Ran) -> None:
            self.ran = ran

        async def work(self) -> None:
            raise AssertionError

        async def enqueue(self, number: int) -> None:
            nonlocal now
            now += 0.125
            asyncio.get_running_loop().call_soon(self.ran, number)  # it runs later than it is asked for

    monkeypatch.setattr("tests.bench.race.time", SimpleNamespace(perf_counter=lambda: now))
    finish, queue = Finish(), Slow()
    await queue.connect("", finish.ran)
    assert await finish.after(queue, 1000, 1.0) == (8, 1.0)
    assert await finish.after(queue, 4, 1.0) == (4, 0.5)
