"""Whisper on CTranslate2: clips become segments of text. What the chat sees of them: `front.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot import Batch, Memory, Model, Placement, Segment, TextSoFar, Transcribe, Transcript, Word, Work, hookimpl
from plugins.transcribe.config import Config

if TYPE_CHECKING:
    from plugins.transcribe.engine import Engine

RATE = 16_000
"""Samples a second of a clip."""

FILES = ("model.bin", "config.json", "tokenizer.json")
"""Without its own tokenizer the engine would ask a model hub for one."""

VOICES = MappingProxyType({"min_silence_duration_ms": 500, "min_speech_duration_ms": 100})
"""What the voice detector leaves out: Whisper invents words for silence, and for sounds that are too short to be a word."""

TEMPERATURES = (0.0, 0.2, 0.6, 1.0)
"""Tried in turn while the text repeats itself or is improbable; the library's six make 8 s of noise take 23 s."""

SILENT = 0.4
"""Words that are improbable (below a mean log-probability of -1) in a window less likely to hold speech than this are invented.

The library's 0.6 keeps them up to there: a buzzing tone that the voice detector took for a voice came out as words at 0.54.
"""

FEWEST_TOKENS, TOKENS_A_SECOND = 30, 40
"""What anybody can say in a time, with much to spare (Thai takes the most tokens). Half a second of music looped for 224 of them."""

MOST_TOKENS = 200
"""Of Whisper's 448, up to 228 may be hints."""


class Whisper(Model[Transcribe, Transcript]):
    """Whisper base, multilingual. int8 takes 150 MB of a CPU's memory and about 100 MB more while it listens."""

    name = "whisper-base"
    weights = "whisper-base"
    job = Transcribe

    def __init__(self, config: Config) -> None:
        self._config = config
        self._engine: Engine | None = None

    def memory(self) -> Memory:
        """Measured on a CPU in int8; float16 on a GPU takes about as much."""
        return Memory(weights=160_000_000, cache=200_000_000, parked=160_000_000)

    def load(self, placement: Placement) -> None:
        """From the folder and nowhere else. Raises FileNotFoundError when it is not complete."""
        folder = _complete(placement.weights)
        from plugins.transcribe.engine import Engine

        device, _, index = placement.device.partition(":")
        on_gpu = device == "cuda"
        self._engine = Engine(
            str(folder),
            device="cuda" if on_gpu else "cpu",
            device_index=int(index or 0) if on_gpu else 0,
            compute_type=self._compute(on_gpu),
            cpu_threads=placement.threads,
            local_files_only=True,
        )

    def _compute(self, on_gpu: bool) -> str:
        if self._config.compute != "auto":
            return self._config.compute
        return "float16" if on_gpu else "int8"

    def run(self, batch: Batch[Transcribe, Transcript]) -> None:
        """One clip after the other; a cancelled one ends between two segments, and before each window."""
        from plugins.transcribe.engine import Unwanted

        for work in batch:
            with suppress(Unwanted):
                self._transcribe(work)

    def park(self) -> None:
        """See `Engine.park`."""
        if self._engine is not None:
            self._engine.park()

    def unpark(self) -> None:
        """See `Engine.unpark`."""
        if self._engine is not None:
            self._engine.unpark()

    def unload(self) -> None:
        """Gives the memory back."""
        self._engine = None

    def _transcribe(self, work: Work[Transcribe, Transcript]) -> None:
        from plugins.transcribe.engine import samples, spoken

        assert self._engine is not None, "load() comes first"
        job = work.job
        if job.language and job.language not in self._engine.supported_languages:
            work.fail(f"expected a language that {self.name} knows, found {job.language!r}")
            return
        self._engine.unwanted = lambda: work.cancelled
        sound = samples(work.read(job.audio))
        seconds = len(sound) / RATE
        speech = spoken(sound, VOICES)
        if not speech:
            work.finish(Transcript(language=job.language or "", seconds=seconds, segments=(), model=self.name))
            return
        found, info = self._engine.transcribe(sound, **self._options(job, speech))
        segments: list[Segment] = []
        for segment in heard(found, seconds):
            if work.cancelled:
                return
            segments.append(segment)
            work.emit(TextSoFar(text=" ".join(one.text for one in segments)))
        work.finish(Transcript(language=info.language, seconds=seconds, segments=tuple(segments), model=self.name))

    def _options(self, job: Transcribe, speech: float) -> dict[str, Any]:
        tokens = FEWEST_TOKENS + int(TOKENS_A_SECOND * speech)
        return {
            "language": job.language,
            "task": "translate" if job.translate else "transcribe",
            "beam_size": self._config.beam,
            "temperature": TEMPERATURES,
            "condition_on_previous_text": False,  # a misheard window would spoil all that follow
            "word_timestamps": job.words,
            "hotwords": job.hints or None,
            "vad_filter": True,
            "vad_parameters": dict(VOICES),
            "no_speech_threshold": SILENT,
            "max_new_tokens": tokens if tokens < MOST_TOKENS else None,  # more than this leaves no room for the longest hints
        }


class Plugin:
    """Serves `Transcribe`."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """One Whisper."""
        return [Whisper(self._config)]


def _complete(folder: Path | None) -> Path:
    missing = [name for name in FILES if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        raise FileNotFoundError(f"expected {', '.join(missing)} in {folder}: run `hobnob models pull {Whisper.weights}`")
    return folder


def heard(found: Iterable[Any], seconds: float) -> Iterator[Segment]:
    """The engine's segments as ours, their times within the clip."""
    for one in found:
        if text := one.text.strip():
            words = tuple(_word(word, seconds) for word in one.words or ())
            yield Segment(start=_within(one.start, seconds), end=_within(one.end, seconds), text=text, words=words)


def _word(word: Any, seconds: float) -> Word:
    start, end = _within(word.start, seconds), _within(word.end, seconds)
    return Word(start=start, end=end, text=word.word.strip(), probability=float(word.probability))


def _within(moment: float, seconds: float) -> float:
    return min(max(0.0, float(moment)), seconds)
