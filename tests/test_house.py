"""What a suite begins ends with it, also where it is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

SUITE = """
import signal, sys
from pathlib import Path
from tests.house import House

with House(Path(sys.argv[1])).running() as process:
    print(process.pid, flush=True)
    signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process that its parent has ended")
def test_what_a_suite_began_ends_with_it_where_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUITE, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as suite:
        assert suite.stdout is not None
        supervisor = psutil.Process(int(suite.stdout.readline()))
        family = [supervisor, *supervisor.children(recursive=True)]
        suite.kill()
        left = psutil.wait_procs(family, timeout=60)[1]
    for one in left:
        one.kill()
    assert not left and len(family) > 3, "the supervisor, its guard, a store, a router and a worker"
