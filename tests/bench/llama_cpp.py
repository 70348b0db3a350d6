"""Run as a program in an environment of its own, `python llama_cpp.py FILE PORT`: llama.cpp's server, until it is told to stop.

It is the one in C++ that `llama-server` is, from a wheel that is built for any processor with AVX2: where a processor can do more, a
build of one's own is quicker. Who asks it: `served.py`.
"""

from __future__ import annotations

import os
import signal
import sys

from xllamacpp import CommonParams, Server

SLOTS = 16
"""Answers at once, as many as ours."""

WINDOW = 512
"""Tokens of each."""


def parameters(file: str, port: int) -> CommonParams:
    """What differs from its own defaults."""
    chosen = CommonParams()
    chosen.model.path, chosen.port = file, port
    chosen.n_parallel, chosen.n_ctx = SLOTS, SLOTS * WINDOW
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = os.cpu_count() or 1
    return chosen


if __name__ == "__main__":
    server = Server(parameters(sys.argv[1], int(sys.argv[2])))  # it serves as long as it is held
    signal.sigwait({signal.SIGTERM})
