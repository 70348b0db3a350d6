"""The commands that look and tell, and how every command leaves when it cannot go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer

from bot import guard
from bot.cli import app
from bot.cli.visiting import _secret
from bot.doctor import examine, gpu, installed
from bot.errors import ConfigError

ECHO = Path(__file__).parent / "data/plugins/echo"

SLEEPER = "import signal, sys, time; signal.signal(signal.SIGTERM, {handler}); print('up', flush=True); time.sleep(60)"


def hobnob(*words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, in a wide terminal."""
    surroundings = {**os.environ, "COLUMNS": "300", **(environ or {})}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *words], env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )


pytestmark = pytest.mark.usefixtures("bare_environment")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with one plugin, and a data directory of its own."""
    path = tmp_path / "bot.toml"
    path.write_text(f'data_dir = "{tmp_path / "data"}"\n[web]\nport = 0\n[plugins.echo]\npath = "{ECHO}"\n')
    return path


# Help --------------------------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_help_comes_at_once() -> None:
    """CPU time rather than the clock's, which counts what else the machine does."""
    before = psutil.Process().cpu_times()
    done = hobnob("--help")
    after = psutil.Process().cpu_times()
    assert done.returncode == 0
    assert (after.children_user + after.children_system) - (before.children_user + before.children_system) < 0.6


def test_help_names_every_command() -> None:
    words = hobnob("--help").stdout
    for command in ("run", "router", "worker", "ask", "console", "link", "check", "doctor", "plugins", "models"):
        assert f" {command} " in words


def test_all_that_a_command_takes_says_what_it_is() -> None:
    def bare(command: Any, path: str) -> list[str]:
        shown = [one for one in command.params if one.name != "help" and not getattr(one, "hidden", False)]
        inner = [(word, one) for word, one in getattr(command, "commands", {}).items() if not one.hidden]
        within = [name for word, one in inner for name in bare(one, f"{path} {word}")]
        return [*(f"{path} {one.name}" for one in shown if not getattr(one, "help", None)), *within, *([] if command.help else [path])]

    assert bare(typer.main.get_command(app), "hobnob") == []


def test_what_the_supervisor_needs_is_not_shown() -> None:
    assert "announce" not in hobnob("router", "--help").stdout


# Check -------------------------------------------------------------------------------------------------------------------


def test_check_is_content(config: Path) -> None:
    done = hobnob("check", "--config", str(config))
    assert (done.returncode, done.stdout) == (0, f"{config}: all is as it should be. Plugins: echo.\n")


def test_check_names_faults_of_both_halves_of_all_plugins_at_once(config: Path, tmp_path: Path) -> None:
    for half in ("front", "model"):
        home = tmp_path / half
        home.mkdir()
        (home / "plugin.toml").write_text('summary = "x"\napi = 1\nlicence = "x"\n')
        (home / f"{half}.py").write_text("1 / 0")
    with config.open("a") as file:
        file.write('[plugins.front]\npath = "front"\n[plugins.model]\npath = "model"\n[plugins.none]\n')
    done = hobnob("check", "--config", str(config))
    assert done.returncode == 2
    assert "plugin 'front': front.py cannot be imported: ZeroDivisionError: division by zero (front.py:1)" in done.stderr
    assert "plugin 'model': model.py cannot be imported: ZeroDivisionError: division by zero (model.py:1)" in done.stderr
    assert f"{config}:10: plugins.none: no such plugin is installed" in done.stderr
    assert done.stderr.endswith("3 faults.\n")


def test_check_names_faults_of_tables_plugins_and_their_settings_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_text('web.port = "many"\nredis.url = "x"\n[plugins.chat]\nmodle = "x"\n[plugins.chat.defaults]\ntemperature = 9\n')
    done = hobnob("check", "--config", str(path))
    named = [line.removeprefix(f"{path}:").split(": ")[:2] for line in done.stderr.splitlines()[:-1]]
    keys = ("web.port", "redis.url", "plugins.chat.modle", "plugins.chat.defaults.temperature")
    assert named == [[line, key] for line, key in zip(("1", "2", "4", "6"), keys, strict=True)]


def test_check_names_a_file_where_a_folder_should_be(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    config.write_text(config.read_text() + f'[models]\ndir = "{tmp_path / "data/weights"}"\n')
    done = hobnob("check", "--config", str(config))
    said = f"expected a folder, found that {tmp_path / 'data'} is a file"
    assert (done.returncode, done.stderr) == (2, f"{config}:1: data_dir: {said}\n{config}:7: models.dir: {said}\n2 faults.\n")


def test_check_names_weights_that_nobody_knows(config: Path, tmp_path: Path) -> None:
    home = tmp_path / "heavy"
    home.mkdir()
    (home / "plugin.toml").write_text('summary = "x"\napi = 1\nlicence = "x"\n')
    (home / "model.py").write_text((ECHO / "model.py").read_text().replace('name = "parrot"', 'name = "heavy"\n    weights = "unheard-of"'))
    with config.open("a") as file:
        file.write('[plugins.heavy]\npath = "heavy"\n')
    done = hobnob("check", "--config", str(config))
    assert f"{config}:6: plugins.heavy: its model 'heavy' wants the weights 'unheard-of', which the catalogue does not know" in done.stderr


def test_check_names_models_that_nobody_can_have_instead(config: Path) -> None:
    with config.open("a") as file:
        file.write('[queue.instead]\ngenerate = {parrot = "Now", parot = "Soon"}\ndraw = {parrot = "A picture"}\n')
    done = hobnob("check", "--config", str(config))
    assert done.stderr.splitlines() == [
        f"{config}:7: queue.instead.generate.parot: expected a model for generate that a plugin brings (parrot)",
        f"{config}:8: queue.instead.draw.parrot: expected a model for draw that a plugin brings (none)",
        "2 faults.",
    ]


@pytest.mark.parametrize("command", ["check", "run", "router", "worker", "ask", "console", "link", "plugins"])
def test_a_malformed_file_is_a_sentence_and_exit_2(tmp_path: Path, command: str) -> None:
    path = tmp_path / "bot.toml"
    path.write_text("[web]\nport = many\n")
    done = hobnob(command, "--config", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}:2: Invalid value: this is not TOML: 'port = many'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_variable_chooses_the_file_for_every_command(config: Path) -> None:
    assert hobnob("check", environ={"HOBNOB_CONFIG": str(config)}).stdout.startswith(str(config))


def test_a_full_disk_is_a_sentence_and_exit_2(config: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "bot.cli", "models", "list", "--config", str(config)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "hobnob: the disk is full: free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_sits_at_the_terminal_is_kept_in_a_data_directory_that_may_not_be_there_yet(tmp_path: Path) -> None:
    data = tmp_path / "new/data"
    first = _secret(data)
    assert (len(first), _secret(data)) == (32, first)
    assert [(path.name, path.stat().st_mode & 0o777) for path in data.iterdir()] == [("console.secret", 0o600)]
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_terminal_that_can_keep_nothing_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(ConfigError, match=r"console.secret cannot be written: .*\. Set `data_dir` to a folder"):
        _secret(tmp_path / "data")


# Lists -------------------------------------------------------------------------------------------------------------------


def test_plugins_are_listed_without_being_imported(config: Path, tmp_path: Path) -> None:
    home = tmp_path / "loud"
    home.mkdir()
    (home / "plugin.toml").write_text('summary = "Never [very] quiet"\napi = 1\nlicence = "MIT"\n')
    for part in ("__init__.py", "front.py"):
        (home / part).write_text("raise SystemExit('imported')")
    with config.open("a") as file:
        file.write('[plugins.loud]\npath = "loud"\n')
    done = hobnob("plugins", "--config", str(config))
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "Never [very] quiet" in rows["loud"]
    assert " yes " in rows["loud"]
    assert " no " in rows["chat"]


def test_models_are_listed_with_what_is_here(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data/models/whisper-base").mkdir(parents=True)
    rows = {line.split()[0]: line for line in hobnob("models", "list", "--config", str(config)).stdout.splitlines()}
    assert " own " in rows["whisper-base"]
    assert " absent " in rows["smollm2-135m-instruct"]


def test_a_licence_that_forbids_the_use_is_a_fault_of_the_configuration_and_of_a_pull(config: Path) -> None:
    with config.open("a") as file:
        file.write('[models]\nuse = "commercial"\n[plugins.chat]\nmodels = ["mpt-7b-chat"]\n')
    said = "mpt-7b-chat (CC BY-NC-SA 4.0) is for private and public use, and `models.use` is 'commercial'; take falcon-7b-instruct"
    checked = hobnob("check", "--config", str(config))
    assert (checked.returncode, f"plugins.chat: {said}" in checked.stderr) == (2, True)
    pulled = hobnob("models", "pull", "mpt-7b-chat", "mpt-7b", "--config", str(config))
    assert (pulled.returncode, said in pulled.stderr) == (2, True)
    assert "mpt-7b cannot be brought: its makers have taken it from the hub. Put a copy of yours" in pulled.stderr


def test_a_model_that_nobody_knows_is_refused(config: Path) -> None:
    done = hobnob("models", "pull", "startr", "--config", str(config))
    assert done.returncode == 2
    assert "no model or set is called 'startr'; did you mean 'starter'?" in done.stderr


# The doctor --------------------------------------------------------------------------------------------------------------


def findings(config: Path) -> dict[str, tuple[str, str, str]]:
    return {one.what: (one.state, one.found, one.remedy) for one in examine(config)}


def test_a_sound_machine_is_called_sound(config: Path) -> None:
    found = findings(config)
    assert {what: state for what, (state, _, _) in found.items() if what != "GPU"} == dict.fromkeys(
        ("Python", "configuration", "data directory", "store", "pages", "plugins", "memory", "engines"), "ok"
    )


def test_something_wrong_is_exit_1(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    done = hobnob("doctor", "--config", str(config))
    assert done.returncode == 1
    assert "data directory" in done.stdout
    assert "set `data_dir` to a folder that can be written" in done.stdout


def test_brackets_in_what_the_doctor_says_are_shown(config: Path) -> None:
    config.write_text(config.read_text().partition("[plugins")[0])
    assert "give one a [plugins.NAME] table" in hobnob("doctor", "--config", str(config)).stdout


def test_faults_of_the_configuration_are_findings(config: Path) -> None:
    config.write_text("[web]\nport = 70000\nhost = 1\n")
    wrong = [one for one in examine(config) if one.state == "wrong"]
    assert len(wrong) == 2


def test_missing_weights_come_with_the_command_that_brings_them(config: Path) -> None:
    with config.open("a") as file:
        file.write("[plugins.chat]\n")
    state, _, remedy = findings(config)["smollm2-135m-instruct"]
    assert (state, remedy) == ("wrong", "`hobnob models pull smollm2-135m-instruct`")


def test_a_store_that_keeps_nothing_is_wrong(config: Path, redis_url: str) -> None:
    with config.open("a") as file:
        file.write(f'[redis]\nurl = "{redis_url}"\n')
    state, found, _ = findings(config)["store"]
    assert state == ("ok" if "kept by: nothing" not in found else "wrong")
    assert found.startswith(("Valkey ", "Redis "))


def test_an_unreachable_store_is_wrong(config: Path) -> None:
    with config.open("a") as file:
        file.write('[redis]\nurl = "redis://127.0.0.1:1"\n')
    assert findings(config)["store"][0] == "wrong"


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """A driver's tool, as far as the doctor asks it."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{says}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_gpu_with_a_torch_that_cannot_use_it_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, "echo 'NVIDIA L4, 23034 MiB, 550.1'")
    one = gpu("auto", "2.13.0+cpu")
    assert (one.state, one.found) == ("wrong", "NVIDIA L4, 23034 MiB, 550.1, but torch 2.13.0+cpu cannot use it")
    assert gpu("auto", "2.13.0+cu130").state == "ok"
    assert gpu("cpu", "2.13.0+cu130").state == "note"


def test_a_driver_that_fails_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, "echo 'no devices'; exit 9")
    assert gpu("auto", "2.13.0+cpu").found == "no NVIDIA GPU found"
    assert gpu("cuda:0", "2.13.0+cpu").state == "wrong"


def test_releases_are_read_without_importing() -> None:
    assert installed("pydantic")
    assert installed("a-distribution-that-nobody-made") == ""


# The guard ---------------------------------------------------------------------------------------------------------------


def sleeper(handler: str) -> subprocess.Popen[str]:
    """A process that is ready for its SIGTERM."""
    process = subprocess.Popen([sys.executable, "-c", SLEEPER.format(handler=handler)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


def test_the_guard_ends_the_store_last(tmp_path: Path) -> None:
    note = "lambda *_: (open({path!r}, 'a').write({word!r}), sys.exit())"
    first, last = (sleeper(note.format(path=str(tmp_path / "order"), word=word)) for word in ("worker ", "store "))
    guard.end({last.pid: 0, first.pid: 1})
    assert (first.wait(5), last.wait(5)) == (0, 0)
    assert (tmp_path / "order").read_text() == "worker store "


def test_the_guard_kills_what_does_not_listen() -> None:
    deaf = sleeper("signal.SIG_IGN")
    guard.end({deaf.pid: 1}, grace=0.1)
    assert deaf.wait(5) == -signal.SIGKILL


def test_the_guard_does_not_wait_for_what_nobody_collects() -> None:
    ended = sleeper("signal.SIG_DFL")
    began = time.monotonic()
    guard.end({ended.pid: 1}, grace=30.0)  # nobody has called wait, so it is a zombie
    assert time.monotonic() - began < 10.0
    assert ended.wait(5) == -signal.SIGTERM


def test_the_guard_forgets_what_is_gone() -> None:
    assert guard.follow(["watch 1 10", "watch 0 11", "forget 10"]) == {11: 0}
