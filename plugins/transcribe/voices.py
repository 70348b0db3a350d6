"""The model that says what voices sound like: a network for speakers, by sherpa-onnx, an extra. Whose voice it is: `speakers.py`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot import Batch, Entry, Memory, Model, Placement
from plugins.transcribe.jobs import Compare, Voices

WORKING = 100_000_000
"""Bytes beside the weights."""

SHORTEST = 0.5
"""Seconds from which a voice can be told."""

MARKS = frozenset(("framework", "output_dim", "sample_rate"))
"""What the file of a network for speakers says of itself; the library ends the process at one that does not."""


class Voice(Model[Compare, Voices]):
    """One network, on the processor: half a minute of sound takes it a second."""

    job = Compare
    max_batch = 4

    def __init__(self, entry: Entry) -> None:
        self.name = self.weights = entry.name
        self._disk = entry.disk
        self._extractor: Any = None

    def memory(self) -> Memory:
        """Its weights as they lie on the disk."""
        return Memory(self._disk, WORKING)

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError where there is no network, ValueError for a file that is none, and without the extra."""
        if find_spec("sherpa_onnx") is None:
            raise ValueError(f"{self.name}: expected the library sherpa-onnx beside Hobnob, found none: install the extra `speakers`")
        import sherpa_onnx

        file = str(self._file(placement.weights))
        self._extractor = sherpa_onnx.SpeakerEmbeddingExtractor(
            sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=file, num_threads=placement.threads)
        )

    def _file(self, folder: Path | None) -> Path:
        found = sorted(folder.glob("*.onnx")) if folder else []
        if len(found) != 1:
            raise FileNotFoundError(f"expected one .onnx file in {folder}, found {len(found)}: run `hobnob models pull {self.name}`")
        import onnxruntime

        told = onnxruntime.InferenceSession(found[0], providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
        if missing := sorted(MARKS - told.keys()):
            raise ValueError(f"expected a network for speakers, as sherpa-onnx takes them; {found[0]} lacks {', '.join(missing)}")
        return found[0]

    def run(self, batch: Batch[Compare, Voices]) -> None:
        """Clip by clip."""
        from plugins.transcribe.engine import samples
        from plugins.transcribe.sound import RATE

        for work in batch:
            if work.cancelled:
                continue
            sound = samples(work.read(work.job.audio))
            pieces = [sound[int(start * RATE) : int(end * RATE)] for start, end in work.job.spans]
            work.finish(Voices(voices=tuple(self._voice(piece, RATE) for piece in pieces)))

    def _voice(self, piece: Any, rate: int) -> tuple[float, ...]:
        if len(piece) < SHORTEST * rate:
            return ()
        stream = self._extractor.create_stream()
        stream.accept_waveform(sample_rate=rate, waveform=piece)
        stream.input_finished()
        return tuple(round(float(value), 4) for value in self._extractor.compute(stream))

    def unload(self) -> None:
        """Gives the memory back."""
        self._extractor = None
