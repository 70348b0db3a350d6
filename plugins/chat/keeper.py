"""Run as a program, `python keeper.py COMMAND…`: runs the command until its own input closes, as it does when the worker is gone.

It imports nothing of ours, so that it starts at once. Who starts it: `managed.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE = 15.0
"""Seconds between asking the command to end and ending it."""


def keep(command: list[str]) -> int:
    """The command's exit code. A signal to the whole group is not ours to heed: the worker hears it too, and then our input closes."""
    for heard in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(heard, lambda *_: None)  # ignoring it would have the command ignore it
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):  # not sys.stdin, whose lock the interpreter wants at its end
        pass
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    """To the command and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, sign)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
