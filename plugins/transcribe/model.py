"""Whisper on CTranslate2: clips become segments of text. What the chat sees of them: `front.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot import (
    Batch,
    Catalogue,
    EngineModel,
    Entry,
    Memory,
    Model,
    Placement,
    Segment,
    TextSoFar,
    Transcribe,
    Transcript,
    Word,
    Work,
    hookimpl,
    later,
)
from plugins.transcribe.chinese import said_before
from plugins.transcribe.clips import Clip, following
from plugins.transcribe.config import Config, served, voices
from plugins.transcribe.phantoms import real
from plugins.transcribe.sound import FULL, RATE, Span
from plugins.transcribe.voices import Voice

if TYPE_CHECKING:
    from plugins.transcribe.engine import Engine

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


CPU, GPU = ("int8", "float32"), ("float16", "int8_float16", "int8_float32", "int8", "float32")
"""The numbers it computes with, the best first; older GPUs have no float16."""

BASE = 74_000_000
"""Parameters of Whisper base, whose memory was measured."""


UNKNOWN = later(
    "The model that listens here does not know that language. Name another one, or none, and I find it out; an admin sets "
    "what is spoken here."
)

IN_HAND = 2
"""Batches that it chooses from: notes of about a length are found more often among more of them."""


class Whisper(EngineModel[Transcribe, Transcript]):
    """A Whisper, by CTranslate2."""

    job = Transcribe
    parks = True
    engine: Engine | None = None
    temperatures: Sequence[float] = TEMPERATURES

    def __init__(self, config: Config, entry: Entry) -> None:
        self.name = self.weights = entry.name
        self.max_batch = IN_HAND * config.batch
        self._config = config
        self._facts = entry.speech
        self._threads = 1

    def memory(self) -> Memory:
        """Full windows take the most, by the attention of the encoder and the readings that are followed.

        On a CPU base in int8 had 287, 324 and 417 MB beside its weights with one, three and eight (`sparing.py`). Elsewhere all are read
        together: base's 740 MB with eight, and large-v2 in float16 has 3 GB (faster-whisper's figures), four times as much for 21 times as
        many parameters.
        """
        scale = (self._facts.parameters if self._facts else BASE) / BASE
        weights = round(160_000_000 * scale)
        least, each = (0, 92_000_000) if self.device.startswith("cuda") else (250_000_000, 22_000_000)
        return Memory(weights=weights, cache=round((least + each * self._config.batch) * scale**0.5), parked=weights)

    def load(self, placement: Placement) -> None:
        """From the folder and nowhere else. Raises FileNotFoundError when it is not complete, ValueError for another model's files."""
        folder = _complete(self.weights, placement.weights)
        from plugins.transcribe.engine import Engine

        self._threads = placement.threads
        device, _, index = placement.device.partition(":")
        on_gpu = device == "cuda"
        self.engine = Engine(
            str(folder),
            device="cuda" if on_gpu else "cpu",
            device_index=int(index or 0) if on_gpu else 0,
            compute_type=self._compute(on_gpu),
            cpu_threads=placement.threads,
            local_files_only=True,
        )
        self.engine.together = self._config.batch
        if self._facts and self.engine.model.n_mels != self._facts.mels:
            raise ValueError(f"expected {self._facts.mels} mel bins of {self.name}, found {self.engine.model.n_mels} in {folder}")

    def _compute(self, on_gpu: bool) -> str:
        """What was configured, else the first that the device has. On a GPU float16 is as fast as int8_float16."""
        if self._config.compute != "auto":
            return self._config.compute
        import ctranslate2

        there = ctranslate2.get_supported_compute_types("cuda" if on_gpu else "cpu")
        return next(one for one in (GPU if on_gpu else CPU) if one in there)

    def run(self, batch: Batch[Transcribe, Transcript]) -> None:
        """The shortest first, those of a length together; who comes meanwhile joins. A cancelled one ends before the next window."""
        clips = self._opened(batch)
        while clips := [clip for clip in clips if not clip.work.cancelled]:
            if batch.over:  # what is left was not begun, or was doubtful: nothing is lost
                return
            chosen = following(clips, self._config.batch)
            clips = [clip for clip in clips if clip not in chosen] + self._read(chosen)
            clips += self._opened(batch.join(self.max_batch - len(clips)))

    def _opened(self, works: Iterable[Work[Transcribe, Transcript]]) -> list[Clip]:
        """Finding out where somebody speaks takes a core as long as Whisper takes the note, so the others help."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="sound") as threads:
            opened = list(threads.map(self._open, [work for work in works if not work.cancelled]))
        return [clip for clip in opened if clip is not None]

    def _open(self, work: Work[Transcribe, Transcript]) -> Clip | None:
        """None for what is answered already: it is no sound, nobody speaks, or nobody knows the language."""
        from av import FFmpegError

        from plugins.transcribe.engine import samples, speech
        from plugins.transcribe.windows import Window

        assert self.engine is not None, "load() comes first"
        job = work.job
        if job.language and job.language not in self.engine.supported_languages:
            work.refuse(UNKNOWN)
            return None
        try:
            sound = samples(work.read(job.audio))
        except (FFmpegError, LookupError, ValueError) as error:
            work.fail(f"expected a clip as ctx.clips cuts them: {error}")
            return None
        spans = speech(sound, VOICES)
        if not spans:
            work.finish(Transcript(language=job.language or "", seconds=len(sound) / RATE, segments=(), model=self.name))
            return None
        window = Window(self.engine.frames(sound, spans), spans, job, _most(spans) or MOST_TOKENS)
        return Clip(work, sound, spans, window if window.length <= FULL else None)

    def _read(self, clips: Sequence[Clip]) -> list[Clip]:
        """Those that are doubtful and have to be read again."""
        from plugins.transcribe.reading import read, read_again

        assert self.engine is not None, "load() comes first"
        windows, again = [clip.window for clip in clips if clip.window is not None], clips[0].doubtful
        if again:
            read_again(self.engine, windows, self._config.beam, SILENT, self.temperatures)
        elif windows:
            read(self.engine, windows, self._config.beam)
        left = [clip for clip in clips if clip.doubtful and not again]
        for clip in clips:
            if clip not in left:
                self._tell(clip)
        self.engine.tidy()
        return left

    def _tell(self, clip: Clip) -> None:
        from plugins.transcribe.engine import Unwanted

        if clip.window is not None and not clip.window.doubt:
            self._finish(clip, clip.window.segments, clip.window.read.language)
            return
        assert self.engine is not None, "load() comes first"
        self.engine.unwanted = lambda: clip.work.cancelled
        with suppress(Unwanted):
            heard_in = clip.window.read.language if clip.window is not None else None
            found, info = self.engine.transcribe(clip.sound, **self._options(clip.work.job, clip.spans, heard_in))
            self._finish(clip, found, info.language)

    def _finish(self, clip: Clip, found: Iterable[Any], language: str) -> None:
        """Shows the text as it grows, and hands it in."""
        segments: list[Segment] = []
        for segment in heard(real(found), clip.seconds):
            if clip.work.cancelled:
                return
            segments.append(segment)
            clip.work.emit(TextSoFar(text=" ".join(one.text for one in segments)))
        clip.work.finish(Transcript(language=language, seconds=clip.seconds, segments=tuple(segments), model=self.name))

    def _options(self, job: Transcribe, spans: Sequence[Span], language: str | None) -> dict[str, Any]:
        return {
            "language": job.language,
            "initial_prompt": said_before(job.language or language, job) or None,
            "task": "translate" if job.translate else "transcribe",
            "beam_size": self._config.beam,
            "temperature": tuple(self.temperatures),
            "condition_on_previous_text": False,  # a misheard window would spoil all that follow
            "word_timestamps": job.words,
            "hotwords": job.hints or None,
            "vad_filter": True,
            "vad_parameters": dict(VOICES),
            "no_speech_threshold": SILENT,
            "max_new_tokens": _most(spans),  # more than this leaves no room for the longest hints
        }


class Plugin:
    """Serves `Transcribe`, and where the operator wants that `Compare`."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config = config
        self._served = served(config, catalogue)
        self._voices = voices(config, catalogue)

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """Those that the operator chose."""
        return [*(Whisper(self._config, entry) for entry in self._served), *([Voice(self._voices)] if self._voices else [])]


def _most(spans: Sequence[Span]) -> int | None:
    """Tokens that so much speech can hold; None where it is more than a window leaves room for."""
    most = FEWEST_TOKENS + int(TOKENS_A_SECOND * sum(span["end"] - span["start"] for span in spans) / RATE)
    return most if most < MOST_TOKENS else None


def _complete(name: str, folder: Path | None) -> Path:
    missing = [name for name in FILES if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        raise FileNotFoundError(f"expected {', '.join(missing)} in {folder}: run `hobnob models pull {name}`")
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
