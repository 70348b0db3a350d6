"""`hobnob service`: a unit of the user's own systemd, so that Hobnob outlives logout and restart. Units for servers: `deploy/systemd/`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import typer

from bot.config import Config, load
from bot.errors import UserError
from bot.guard import GRACE

NAME = "hobnob.service"

UNIT = """\
# Written by `hobnob service install`; `hobnob service remove` takes it away.
[Unit]
Description=Hobnob
Documentation=man:systemd.unit(5)

[Service]
Type=exec
ExecStart={command}
WorkingDirectory={folder}
Restart=always
RestartSec=2
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec={grace:.0f}
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
"""
"""It waits at a stop as long as the supervisor needs to end its processes in order, store last. Exit code 2 is the operator's to mend."""

ELSEWHERE = "Log in as this user, not by su or sudo; for a server there are the units in deploy/systemd"
"""What to do where this user's systemd does not answer."""


def install(path: Path | None) -> None:
    """Writes the unit, starts it, and has it start with the machine. Raises UserError where there is no systemd, or it refuses."""
    config = load(path)
    _needed("systemctl")
    unit = _place()
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(text(config), encoding="utf-8")
    try:
        _call("systemctl", "--user", "daemon-reload")
    except UserError as error:
        unit.unlink()
        raise UserError(f"{error}. {ELSEWHERE}") from error
    _call("systemctl", "--user", "enable", "--now", NAME)
    _call("loginctl", "enable-linger")
    typer.echo(f"{unit} runs now, after logout and after a restart. Its log: journalctl --user --unit {NAME} --follow")
    typer.echo("A link to the pages: hobnob link")


def remove() -> None:
    """Stops it and takes the unit away; what it kept stays. Lingering stays too: other services may live by it."""
    _needed("systemctl")
    _call("systemctl", "--user", "disable", "--now", NAME)
    _place().unlink(missing_ok=True)
    _call("systemctl", "--user", "daemon-reload")
    typer.echo("It is stopped and removed; what it kept is where it was.")


def text(config: Config) -> str:
    """The unit for this configuration and this Python."""
    command = [sys.executable, "-m", "bot.cli", "run", "--config", str(config.source.path.resolve())]
    grace = 2 * (GRACE + config.worker.drain) + 5  # two levels of the guard, and a breath
    return UNIT.format(command=" ".join(map(_quoted, command)), folder=_quoted(str(Path.cwd()))[1:-1], grace=grace)


def _quoted(word: str) -> str:
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(letter, written)
    return f'"{word}"'


def _place() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user" / NAME


def _needed(program: str) -> None:
    if shutil.which(program) is None:
        raise UserError(f"{program} is not here: this takes systemd. Elsewhere have `hobnob run` started by what starts your services")


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise UserError(f"`{' '.join(command)}` refused: {said or done.returncode}")
