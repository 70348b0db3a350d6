"""Everything together, as an operator runs it: real processes, a real store, and a model that needs no weights."""

from __future__ import annotations

import asyncio
import os
import pty
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.config import load
from bot.exits import AWAY
from bot.locking import holder, lock
from bot.store import embedded
from bot.store.connection import connect
from bot.supervise import Guard, Instance
from bot.testing import wait_until
from tests.house import FAMILY, HOBNOB, House

Answers = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that runs, for those who only visit; at the very end for those who break something in it."""
    shared = House(tmp_path_factory.mktemp("house"))
    with shared.running():
        yield shared


@pytest.fixture
def empty(tmp_path: Path) -> House:
    """One in which nothing runs yet."""
    return House(tmp_path)


def lives(process: psutil.Process) -> bool:
    """False for one that is gone, and for one that only waits to be collected."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# Asking ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(house: House) -> Answers:
    """To questions that were asked all at once: behind each answer one waits a while for what may still come."""
    questions = ("one two three", "draw a cat", "refuse this", "fail now")
    with ThreadPoolExecutor() as pool:
        return dict(zip(questions, pool.map(lambda words: house.do("ask", words), questions), strict=True))


def test_a_question_is_answered_on_standard_output(answers: Answers) -> None:
    done = answers["one two three"]
    assert (done.stdout, done.returncode) == ("one two three\n", 0)


def test_a_question_may_come_from_standard_input(house: House) -> None:
    assert house.do("ask", "-", given="from a pipe").stdout == "from a pipe\n"


def test_several_files_are_attached(house: House, tmp_path: Path) -> None:
    for name, size in {"a.bin": 3, "b.bin": 5}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    done = house.do("ask", "look", "--file", str(tmp_path / "a.bin"), "--file", str(tmp_path / "b.bin"))
    assert done.stdout == "look [3 bytes] [5 bytes]\n"


def test_what_comes_back_is_saved_and_nothing_is_overwritten(house: House, tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_text("another")
    assert house.do("ask", "draw a cat", "--save", str(tmp_path)).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"picture.txt": "another", "picture-1.txt": "a picture"}


def test_without_a_folder_it_says_how_to_save(answers: Answers) -> None:
    assert "hobnob: picture.txt came back; --save DIR keeps it" in answers["draw a cat"].stderr


def test_a_refusal_is_no_success(answers: Answers) -> None:
    done = answers["refuse this"]
    assert (done.stdout, done.returncode) == ("I would rather not.\n", 1)


def test_an_apology_is_no_success(answers: Answers) -> None:
    done = answers["fail now"]
    assert "Reference: " in done.stdout
    assert done.returncode == 1


def test_an_empty_question_is_refused_with_a_sentence(house: House) -> None:
    done = house.do("ask")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "The message is empty" in done.stderr


def test_a_file_that_is_not_there_is_named(house: House) -> None:
    done = house.do("ask", "look", "--file", "/nowhere/a.bin")
    assert done.returncode == 2
    assert "/nowhere/a.bin" in done.stderr


def test_patience_has_an_end(house: House) -> None:
    with house.holding():
        done = house.do("ask", "one two three", "--timeout", "2")
    assert (done.returncode, done.stderr) == (1, "hobnob: no answer within 2 s\n")


async def test_alone_it_starts_all_it_needs_and_stops_it(empty: House) -> None:
    done = empty.do("ask", "one two three")
    assert (done.stdout, done.stderr, done.returncode) == ("one two three\n", "", 0)
    assert holder(empty.data) is None
    assert not embedded.answers(empty.data)


def test_alone_with_a_broken_plugin_it_says_so_and_leaves(empty: House, tmp_path: Path) -> None:
    empty.config.write_text(f'data_dir = "{empty.data}"\n[plugins.gone]\npath = "gone"\n')
    done = empty.do("ask", "hello")
    assert done.returncode == 2
    assert f"expected a plugin's folder, found nothing at {tmp_path}/gone" in done.stderr
    assert "Traceback" not in done.stderr


# The console -------------------------------------------------------------------------------------------------------------


def test_a_conversation_in_the_terminal(house: House) -> None:
    done = house.do("console", "--direct", "--name", "Ann", given="hello there\n\nsecond line\n")
    assert done.returncode == 0
    said = [line for line in done.stdout.splitlines() if ": " in line]
    assert said == ["Ann: hello there", "Hobnob: hello there", "Ann: second line", "Hobnob: second line"]


def test_in_a_room_the_bot_is_called_by_name(house: House) -> None:
    done = house.do("console", "--room", "kitchen", "--name", "Bob", given="only people\n@hobnob and you\n")
    said = [line for line in done.stdout.splitlines() if ": " in line]
    assert said == ["Bob: only people", "Bob: @hobnob and you", "Hobnob: @hobnob and you"]


def test_who_comes_later_sees_what_was_said(house: House) -> None:
    house.do("console", "--room", "hall", "--name", "Cat", given="I was here\n")
    assert "Cat: I was here" in house.do("console", "--room", "hall", "--name", "Dan", given="").stdout


def test_a_name_for_a_room_that_cannot_be_is_refused(house: House) -> None:
    done = house.do("console", "--room", "No Room", given="")
    assert done.returncode == 1
    assert "“No Room” is no name for a room" in done.stderr


async def test_leaving_in_the_middle_of_a_line_leaves_the_terminal_as_it_was(house: House) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = house.at_terminal(theirs, "console", "--name", "Eve")
    await wait_until(lambda: termios.tcgetattr(theirs)[3] != before[3], 30)  # a prompt that reads key by key
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert termios.tcgetattr(theirs)[3] == before[3]
    os.close(ours)
    os.close(theirs)


# Links -------------------------------------------------------------------------------------------------------------------


def test_every_link_lets_one_browser_in_once(house: House) -> None:
    first, second = (house.do("link").stdout.strip() for _ in range(2))
    assert first != second
    assert [entered(first), entered(second), entered(first)] == [200, 200, 403]


def entered(link: str) -> int:
    """The status that a browser without a session ends up with."""
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        return browser.get(link).status_code


def test_where_nothing_runs_there_is_no_link(empty: House) -> None:
    done = empty.do("link")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hobnob: no pages are served here: `hobnob run` starts everything and prints a link\n"


# Starting and stopping ---------------------------------------------------------------------------------------------------


def test_a_second_start_says_that_it_runs_already(house: House) -> None:
    done = house.do("run")
    assert done.returncode == AWAY
    assert f"Hobnob runs already in {house.data} (process {holder(house.data)})" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_sees_that_it_runs(house: House) -> None:
    done = house.do("doctor")
    assert f"Hobnob runs as process {holder(house.data)}" in done.stdout
    assert "append-only file" in done.stdout


async def test_a_stop_leaves_nothing_behind_and_the_next_start_answers_what_was_asked_before(tmp_path: Path) -> None:
    empty = House(tmp_path, more="[worker]\ndrain = 0.5\n")  # what is held does not end in five seconds either
    with empty.running() as process, empty.holding() as held, empty.begin("ask", "one two three") as asking:
        await wait_until(held.exists, 30)
        processes = empty.family
        assert set(processes) == set(FAMILY)
        process.terminate()
        assert asking.wait(30) == 1
        assert "Hobnob was stopped. What was asked here is answered at its next start." in empty.log
    assert not any(map(lives, processes.values()))
    assert holder(empty.data) is None
    with empty.running():
        await wait_until(lambda: empty.log.count("ticket.finished") == 1, 30)


async def test_a_killed_supervisor_leaves_nothing_behind_and_who_asks_while_the_next_one_starts_is_answered(empty: House) -> None:
    with empty.running() as process:
        processes = empty.family
        process.kill()
        process.wait()
        with empty.begin("run") as second:
            await wait_until(lambda: holder(empty.data) == second.pid, 30)
            assert not any(map(lives, processes.values()))
            assert empty.do("ask", "still there").stdout == "still there\n"
            second.terminate()
            assert second.wait(60) == 0


async def test_a_fault_ends_everything_only_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    House(tmp_path)
    failing = tmp_path / "python"
    failing.write_text(f"#!/bin/sh\necho >>{tmp_path}/starts\nexit 2\n")
    failing.chmod(0o755)
    with lock(tmp_path) as held:
        guard = Guard(held.fileno())
        instance = Instance(load(tmp_path / "bot.toml"), guard, {})
        monkeypatch.setattr(sys, "executable", str(failing))
        await instance.keep("worker")
        assert instance.failed.result() == 2

        monkeypatch.setattr("bot.supervise.STEADY", 0.0)
        keeping = asyncio.create_task(instance.keep("worker"))
        await wait_until(lambda: len((tmp_path / "starts").read_text().splitlines()) == 3)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await guard.end()


async def test_a_port_in_use_is_a_sentence(house: House, empty: House) -> None:
    port = next(one.laddr.port for one in house.family["router"].net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    empty.config.write_text(empty.config.read_text().replace("port = 0", f"port = {port}"))
    done = empty.do("run")
    assert done.returncode == 2
    assert f"web.port {port}: another program listens there already" in done.stderr
    assert "Traceback" not in done.stderr
    assert not embedded.answers(empty.data)


def test_a_router_without_a_store_says_what_to_do(empty: House) -> None:
    done = empty.do("router")
    assert (done.returncode, done.stdout) == (AWAY, "")
    assert "`hobnob run` starts everything" in done.stderr


@pytest.mark.parametrize("command", ["router", "worker"])
def test_an_unreachable_redis_says_what_to_do(empty: House, command: str) -> None:
    with empty.config.open("a") as config:
        config.write('[redis]\nurl = "redis://me:hunter22@127.0.0.1:1"\n')
    done = empty.do(command)
    assert done.returncode == AWAY
    assert "Redis at 127.0.0.1:1 cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter22" not in done.stderr


def test_a_data_directory_without_room_says_what_to_do(empty: House) -> None:
    command = shlex.join([*HOBNOB, "run", "--config", str(empty.config)])
    done = subprocess.run(["sh", "-c", f"ulimit -f 0; exec {command}"], env=empty.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{empty.data}: expected a data directory that can be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_directory_that_cannot_be_made_says_what_to_do(empty: House) -> None:
    empty.data.write_text("in the way")
    done = empty.do("run")
    assert done.returncode == 2
    assert f"{empty.data}: expected a data directory that can be written" in done.stderr


# Mishaps -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["router", "worker", "valkey"])
async def test_what_is_killed_in_the_middle_of_an_answer_comes_back_and_the_answer_comes_once(house: House, victim: str) -> None:
    with house.holding() as held, house.begin("ask", "one two three four") as asking:
        await wait_until(held.exists, 30)
        before = house.family[victim]
        before.kill()
        await wait_until(lambda: house.family.get(victim, before).pid != before.pid, 30)
        house.hold.unlink()
        assert asking.wait(60) == 0, house.log
        assert asking.stdout is not None
        assert asking.stdout.read() == "one two three four\n"


async def test_a_store_that_cannot_start_again_is_tried_until_it_can(house: House) -> None:
    kept = house.data / "valkey/appendonlydir"
    kept.rename(kept.with_name("aside"))
    kept.write_text("in the way")
    house.family["valkey"].kill()
    await wait_until(lambda: "the embedded Valkey does not start" in house.log, 30)
    kept.unlink()
    kept.with_name("aside").rename(kept)
    await wait_until(lambda: embedded.answers(house.data), 30)
    assert house.do("ask", "back again").stdout == "back again\n"


async def test_a_store_that_cannot_write_is_said_and_nothing_ends(house: House) -> None:
    in_the_way = house.data / "valkey/dump.rdb"  # its snapshots fail as they would on a full disk, and then it refuses to write
    redis = connect(embedded.socket_url(house.data))
    await redis.config_set("save", "3600 1")
    in_the_way.mkdir()
    await redis.bgsave()
    await wait_until(lambda: refused(redis), 30)
    assert embedded.answers(house.data)
    done = house.do("ask", "hello")
    assert (done.returncode, done.stdout) == (AWAY, "")
    assert "Redis cannot write to its disk: free some space where it keeps its data." in done.stderr
    in_the_way.rmdir()
    await redis.bgsave()
    await wait_until(lambda: accepted(redis), 30)
    assert house.do("ask", "back again").stdout == "back again\n"
    await redis.aclose()


async def refused(redis: Redis) -> bool:
    try:
        await redis.set("probe", "1", ex=1)
    except RedisError:
        return True
    return False


async def accepted(redis: Redis) -> bool:
    return not await refused(redis)
