"""`hobnob queue` and `hobnob workers`, on a queue in which somebody works and others wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from bot.cli import app, pausing
from bot.errors import UserError
from bot.exits import AWAY
from bot.store.keys import Keys
from bot.store.queue import Queue
from bot.store.shifts import Offer, Shift
from tests.hands import Say

OFFER = Offer("parrot", ["say", "say:parrot"])


@pytest.fixture
async def busy(redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[Path]:
    """A configuration whose queue has a job that runs and three that wait, of two servers."""
    queue, shift = Queue(redis, Keys()), Shift(redis, Keys(), "worker-1", [OFFER], lease=60.0)
    await shift.renew()
    await queue.weigh({"room/big": 2.0})
    for number, server in enumerate(["room/big", "room/big", "room/big", "room/small"]):
        await queue.submit(Say(), id=f"{number}", ticket=f"t{number}", tenant=server, person=f"room/p{number}")
    await shift.claim([OFFER])
    config = tmp_path / "bot.toml"
    config.write_text(f'[redis]\nurl = "{redis_url}"\n')
    yield config
    for number in range(4):
        await queue.drop(f"t{number}")
    await shift.sign_off()
    await queue.close()
    await redis.delete(*[key async for key in redis.scan_iter("hobnob:*")])


def told(config: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--config", str(config)], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_the_queue_is_shown_to_people(busy: Path) -> None:
    shown = told(busy, "queue")
    assert "3 waiting, 1 running, 1 worker —" in shown
    rows = {row.split()[0]: row.split() for row in map(str.strip, shown.splitlines()) if row.startswith("room/")}
    assert rows["room/big"][1:4] == ["say", "2", "2"]
    assert rows["room/big"][-2:] == ["15.0", "s"]
    assert rows["room/small"][-3:] == ["a", "full", "share"]


def test_where_nobody_works_both_say_how_to_start_somebody(redis_url: str, tmp_path: Path) -> None:
    config = tmp_path / "bot.toml"
    config.write_text(f'[redis]\nurl = "{redis_url}"\n')
    assert told(config, "queue") == told(config, "workers") == "No worker is here, so nothing is answered: `hobnob worker` starts one.\n"


def test_the_queue_is_told_to_programs(busy: Path) -> None:
    seen: dict[str, Any] = json.loads(told(busy, "queue", "--json"))
    assert [worker["name"] for worker in seen["workers"]] == ["worker-1"]
    assert sorted(id for line in seen["lines"] for id in line["ids"]) == ["1", "2", "3"]
    assert seen["weights"] == {"room/big": 2.0}


def test_workers_are_listed(busy: Path) -> None:
    assert [row.split()[:3] for row in told(busy, "workers").splitlines() if row.startswith(("worker-1", "parrot"))] == [
        ["worker-1", "works", "parrot"],
        ["parrot", "worker-1", "1"],
    ]
    [worker] = json.loads(told(busy, "workers", "--json"))
    assert (worker["models"], worker["running"][0]["model"]) == ({"parrot": 1}, "parrot")


def test_workers_are_drained_paused_and_resumed(busy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "FREED", 0.1)
    assert "worker-1: ends what it has begun and takes nothing new." in told(busy, "workers", "drain", "worker-1")
    assert "worker-1  drains" in told(busy, "workers", "list")
    paused = CliRunner().invoke(app, ["pause", "--until", "2h", "--config", str(busy)])
    assert paused.exit_code == 1
    assert "hobnob: worker-1 still holds what it runs" in paused.stderr
    assert "All workers with a device: paused until " in paused.stdout
    [worker] = json.loads(told(busy, "workers", "--json"))
    assert worker["off"]["off"] == "pause"
    assert "paused" in told(busy, "queue")
    assert told(busy, "resume") == "On duty again, but worker-1 is off duty: `hobnob workers resume NAME`.\n"
    assert told(busy, "workers", "resume", "worker-1") == "On duty again.\n"
    assert json.loads(told(busy, "workers", "--json"))[0]["off"] is None
    assert told(busy, "resume") == "Nothing was paused.\n"
    with pytest.raises(UserError, match=r"found 'worker'; there is worker-1$"):
        told(busy, "workers", "drain", "worker")


def test_an_end_is_a_time_of_day_a_date_or_a_duration() -> None:
    now = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
    ends = ["18:30", "07:15", "90m", "2h", "2026-03-02 09:00"]
    there = [datetime.fromtimestamp(pausing.moment(words, now), UTC).strftime("%d. %H:%M") for words in ends]
    assert there == ["01. 18:30", "02. 07:15", "01. 19:30", "01. 20:00", "02. 09:00"]
    for wrong in ("soon", "25:00", "2026-02-01 09:00"):
        with pytest.raises(UserError, match=wrong):
            pausing.moment(wrong, now)


@pytest.fixture
async def dead(busy: Path, redis: Redis) -> Path:
    """The same, and two jobs of the dead list, of which one may be asked again."""
    for number, id in enumerate(["a" * 32, "b" * 32]):
        record = {"want": "say", "tenant": "room/big", "ticket": f"{number}" * 32, "worker": "w", "at": 1_700_000_000_000 + number}
        await redis.hset(Keys().dead_job(id), mapping=record)  # type: ignore[arg-type]
        await redis.zadd(Keys().dead(), {id: number})
    return busy


def test_the_dead_are_listed_retried_and_dropped(dead: Path) -> None:
    shown = told(dead, "queue", "dead").splitlines()
    assert [row.split()[:3] for row in shown[1:]] == [["bbbbbbbb", "say", "room/big"], ["aaaaaaaa", "say", "room/big"]]
    assert (
        told(dead, "queue", "retry", "a" * 8) == "1 request is asked again: the answer replies to the question, as a message of its own.\n"
    )
    assert [one["retry"] for one in json.loads(told(dead, "queue", "dead", "--json"))] == [False, True]
    assert told(dead, "queue", "drop", "all") == "2 requests are forgotten.\n"
    assert told(dead, "queue", "dead") == "The dead list is empty.\n"
    with pytest.raises(UserError, match=r"found nobody$"):
        told(dead, "queue", "drop", "nobody")


def test_where_nothing_runs_it_says_so(tmp_path: Path) -> None:
    config = tmp_path / "bot.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n')
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "queue", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == AWAY
    assert "`hobnob run` starts everything" in done.stderr
