"""How long it takes to write down eleven seconds of speech, from the clip to the words."""

from __future__ import annotations

import io
import os
import time
import wave
from pathlib import Path

from bot import Placement, catalogue
from bot.config import load
from plugins.transcribe.config import Config
from plugins.transcribe.model import Whisper
from tests.bench.figures import Figure
from tests.plugins.transcribe.notes import Notes, note

RUNS = 7

SPEECH = Path(__file__).parents[1] / "data" / "audio" / "jfk.wav"


def later(milliseconds: int) -> bytes:
    """The speech without its first moments: the engine remembers the window that it encoded last, so no run may repeat another's."""
    with wave.open(str(SPEECH)) as file:
        parameters, rate = file.getparams(), file.getframerate()
        file.setpos(rate * milliseconds // 1000)
        samples = file.readframes(file.getnframes())
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams(parameters)
        file.writeframes(samples)
    return out.getvalue()


def seconds(model: Whisper, run: int) -> float:
    """Of one run."""
    heard = note(later(10 * run))
    began = time.perf_counter()
    model.run(Notes([heard]))
    took = time.perf_counter() - began
    assert "ask what you can do for your country" in heard.results[0].text, heard.results
    return took


def measure() -> dict[str, Figure]:
    model = Whisper(Config(), catalogue.load().models["whisper-base"])
    model.load(Placement("cpu", load().models_dir / model.weights, threads=os.cpu_count() or 1))
    seconds(model, 0)  # the first is slower
    return {"11 s of speech (int8)": Figure.of([seconds(model, run) for run in range(1, RUNS + 1)], "s", 2.0, "lower")}
