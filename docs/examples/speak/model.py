"""VITS by transformers: words become sound, sentence by sentence, and sound becomes a voice note. Who asks for it: `front.py`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot import Batch, Catalogue, Entry, Memory, Model, Placement, Progress, Work, hookimpl

from .config import Config
from .jobs import Speak, Spoken

LONGEST = 240
"""Characters that are spoken at once; attention takes memory by the square of them."""

PAUSE = 0.25
"""Seconds between two sentences."""


class Vits(Model[Speak, Spoken]):
    """One voice. It looks between sentences whether anybody still waits."""

    job = Speak

    def __init__(self, entry: Entry) -> None:
        self.name = self.weights = entry.name
        self._disk = entry.disk
        self._vits: Any = None
        self._letters: Any = None

    def memory(self) -> Memory:
        """Bytes; the sound of a sentence and what leads to it take as much again as the weights."""
        return Memory(weights=self._disk, cache=self._disk)

    def load(self, placement: Placement) -> None:
        """From the folder and nowhere else; safetensors alone."""
        from transformers import VitsModel, VitsTokenizer

        folder = placement.weights
        assert folder is not None, "its entry has weights"
        self._letters = VitsTokenizer.from_pretrained(folder, local_files_only=True)
        vits: Any = VitsModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        self._vits = vits.eval().to(placement.device)

    def unload(self) -> None:
        """Gives all memory back."""
        self._vits = self._letters = None

    def run(self, batch: Batch[Speak, Spoken]) -> None:
        """One after the other: on a CPU several at once take as long as their sum."""
        for work in batch:
            self._speak(work)

    def _speak(self, work: Work[Speak, Spoken]) -> None:
        import numpy

        rate, sound, sentences = int(self._vits.config.sampling_rate), [], list(pieces(work.job.text))
        for done, sentence in enumerate(sentences):
            if work.cancelled:
                return
            work.emit(Progress(done=done, total=len(sentences), unit="sentences"))
            sound += [self._sound(sentence, work.job.rate), numpy.zeros(int(PAUSE * rate), "float32")]
        if not numpy.any(samples := numpy.concatenate(sound)):
            work.refuse("I have no sounds for these letters: this voice speaks another language.")
            return
        note = work.keep(opus(samples, rate), "audio/ogg", "voice.ogg")
        work.finish(Spoken(audio=note, seconds=round(len(samples) / rate, 2)))

    def _sound(self, sentence: str, speed: float) -> Any:
        """Samples from -1 to 1, none for letters that the voice does not know."""
        import numpy
        import torch

        letters = self._letters(sentence, return_tensors="pt").to(self._vits.device)
        if letters["input_ids"].shape[1] < 3:  # a blank before and behind each letter
            return numpy.zeros(0, "float32")
        with torch.inference_mode():
            return self._vits(**letters, speaking_rate=speed).waveform[0].float().cpu().numpy().clip(-1, 1)


class Plugin:
    """Hobnob makes one in every worker."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        (self._entry,) = catalogue.find([config.model])

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """Built here, loaded when somebody asks."""
        return [Vits(self._entry)]


def pieces(text: str) -> Iterator[str]:
    """Sentences; long ones in parts, between words where there are any."""
    for sentence in re.split(r"(?<=[.!?…])\s+|(?<=[。！？])", text.strip()):
        left = sentence.strip()
        while len(left) > LONGEST:
            end = max(left.rfind(" ", 1, LONGEST), 0) or LONGEST
            yield left[:end]
            left = left[end:].strip()
        if left:
            yield left


def opus(samples: Any, rate: int) -> bytes:
    """Samples at `rate` a second, as Opus in Ogg. PyAV only reads strangers' files in a process of its own; these are ours."""
    import av

    out = io.BytesIO()
    frame = av.AudioFrame.from_ndarray((samples * 32_767).astype("int16")[None], format="s16", layout="mono")
    frame.sample_rate = rate
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 32_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
