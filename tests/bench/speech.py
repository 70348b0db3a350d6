"""Whisper beside plain faster-whisper, with the same weights, options and cores: one note, longer ones, many at once, word errors.

Clear notes are real speech; what a synthesiser says without noise is not clear to Whisper base, which gets every other word wrong. Where
a text is doubtful Whisper tries again with chance, and no two runs make the same errors; so errors are compared without these tries too.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
import unicodedata
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import Placement, catalogue
from bot.config import load
from bot.media import Decoder
from plugins.transcribe.config import Config
from plugins.transcribe.listening import WINDOW
from plugins.transcribe.model import SILENT, TEMPERATURES, VOICES, Whisper
from tests.bench.figures import Figure
from tests.plugins.transcribe.notes import Notes, note

RUNS = 3
AT_ONCE = 32

AUDIO = Path(__file__).parents[1] / "data" / "audio"
SPEECH = AUDIO / "jfk.wav"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip of the set that a synthesiser spoke: language, noise ("clean" or the ratio in dB) and what it says."""

    path: Path
    language: str
    noise: str
    text: str


def spoken() -> list[Spoken]:
    """All of them."""
    lines = (AUDIO / "spoken" / "texts.tsv").read_text(encoding="utf-8").splitlines()
    return [Spoken(AUDIO / "spoken" / name, *rest) for name, *rest in (line.split("\t") for line in lines)]


def stretch(seconds: float, offset: int, times: int = 1) -> bytes:
    """Some seconds of real speech, several times with a pause between, without its first milliseconds: no run repeats another's."""
    with wave.open(str(SPEECH)) as file:
        parameters, rate = file.getparams(), file.getframerate()
        file.setpos(rate * offset // 1000)
        samples = file.readframes(int(rate * seconds) - rate * offset // 1000)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams(parameters)
        file.writeframes((samples + bytes(rate * 2)) * times)
    return out.getvalue()


class Plain:
    """faster-whisper as it comes, note after note."""

    temperatures: Sequence[float] = TEMPERATURES

    def __init__(self, folder: Path, threads: int) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)

    def texts(self, notes: Sequence[bytes]) -> list[str]:
        """What it hears."""
        return [self._text(one) for one in notes]

    def _text(self, content: bytes) -> str:
        options: dict[str, Any] = {
            "beam_size": Config().beam,
            "temperature": tuple(self.temperatures),
            "condition_on_previous_text": False,
            "vad_filter": True,
            "vad_parameters": dict(VOICES),
            "no_speech_threshold": SILENT,
        }
        segments, _ = self._model.transcribe(io.BytesIO(content), **options)
        return "".join(segment.text for segment in segments).strip()


class Ours:
    """The plugin's model, with the clips that the front half would cut; words and their times included."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._model = Whisper(Config(), catalogue.load().models["whisper-base"])
        self._model.load(Placement("cpu", folder, threads=threads))

    @property
    def temperatures(self) -> Sequence[float]:
        """Those that are tried."""
        return self._model.temperatures

    @temperatures.setter
    def temperatures(self, tried: Sequence[float]) -> None:
        self._model.temperatures = tried

    def texts(self, contents: Sequence[bytes]) -> list[str]:
        """All at once: those that a turn has no room for join it later, as in a worker."""
        cut = [asyncio.run(clips(content)) for content in contents]
        notes = [[note(clip, words=True) for clip in one] for one in cut]
        waiting = [clip for one in notes for clip in one]
        most = self._model.max_batch
        self._model.run(Notes(waiting[:most], later=waiting[most:]))
        return [" ".join(clip.results[0].text for clip in one) for one in notes]


async def clips(content: bytes) -> list[bytes]:
    """Those of a recording; one that is short enough for a window is left as it is."""
    if len(content) < WINDOW * 32_000:
        return [content]

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return [clip async for clip, _, _ in Decoder().clips(pieces(), WINDOW)]


def seconds(texts: Callable[[Sequence[bytes]], list[str]], notes: Sequence[bytes]) -> float:
    """Of one run."""
    began = time.perf_counter()
    texts(notes)
    return time.perf_counter() - began


def ratios(plain: Plain, ours: Ours, runs: Sequence[Sequence[bytes]]) -> list[float]:
    """Plain's time through ours, run by run, one right after the other."""
    return [seconds(plain.texts, notes) / seconds(ours.texts, notes) for notes in runs]


def words(text: str, language: str) -> list[str]:
    """As errors are counted: without case and punctuation, letter by letter in Chinese."""
    bare = re.sub(r"[^\w\s]", " ", unicodedata.normalize("NFKC", text).lower())
    return list(re.sub(r"\s", "", bare)) if language == "zh" else bare.split()


def errors(meant: Sequence[str], heard: Sequence[str]) -> int:
    """Words that were added, left out or taken for others, the fewest that explain it."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(meant, 1):
        before, row[0] = row[0], number
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two did with some clips: seconds, and words that it got wrong."""

    seconds: float
    wrong: int

    @classmethod
    def of(cls, texts: Callable[[Sequence[bytes]], list[str]], clips: Sequence[Spoken]) -> Side:
        contents = [clip.path.read_bytes() for clip in clips]
        began = time.perf_counter()
        heard = texts(contents)
        took = time.perf_counter() - began
        pairs = [(words(clip.text, clip.language), words(text, clip.language)) for clip, text in zip(clips, heard, strict=True)]
        return cls(took, sum(errors(meant, said) for meant, said in pairs))


def sides(plain: Plain, ours: Ours) -> list[tuple[Side, Side]]:
    """Plain's and ours, of the whole set, a third at a time: each has all languages and noises."""
    return [(Side.of(plain.texts, part), Side.of(ours.texts, part)) for part in (spoken()[at::3] for at in range(3))]


def mixed(plain: Plain, ours: Ours) -> dict[str, Figure]:
    """How fast they are, and what they get wrong, with tries by chance and without."""
    clips, found = spoken(), {"": sides(plain, ours)}
    faster = [one.seconds / other.seconds for one, other in found[""]]
    plain.temperatures = ours.temperatures = (0.0,)
    found[" without chance"] = sides(plain, ours)
    plain.temperatures = ours.temperatures = TEMPERATURES
    count = sum(len(words(clip.text, clip.language)) for clip in clips)
    figures = {f"{len(clips) // 3} mixed notes at once: throughput / plain's": Figure.of(faster, "×", 3.0, "higher")}
    for how, pairs in found.items():
        theirs, mine = (100.0 * sum(pair[side].wrong for pair in pairs) / count for side in range(2))
        what = f"word errors{how} above plain's {theirs:.1f} %, {len(clips)} clips"
        figures[what] = Figure.of([mine - theirs], "points", 0.1, "lower")
    return figures


def measure(*, quick: bool = False) -> dict[str, Figure]:
    folder, threads = load().models_dir / "whisper-base", os.cpu_count() or 1
    plain, ours = Plain(folder, threads), Ours(folder, threads)
    for texts in (plain.texts, ours.texts):
        texts([stretch(5.0, 0)])  # the first is slower
    short = [[stretch(5.2, 10 * run)] for run in range(RUNS)]
    figures = {"5 s note: plain's time / ours (int8)": Figure.of(ratios(plain, ours, short), "×", 2.0, "higher")}
    if quick:
        return figures
    clear = [[stretch(4.0 + number % 5, 10 * number + run) for number in range(AT_ONCE)] for run in range(2)]
    said = [[clip.path.read_bytes() for clip in spoken() if clip.noise == "clean"][:AT_ONCE]]
    eleven = [[stretch(11.0, 10 * run)] for run in range(RUNS)]
    minute = [[stretch(11.0, 10 * run, times=5)] for run in range(2)]
    return figures | {
        "11 s note: plain's time / ours": Figure.of(ratios(plain, ours, eleven), "×", 0.91, "higher"),
        "60 s file: plain's time / ours": Figure.of(ratios(plain, ours, minute), "×", 0.91, "higher"),
        f"{AT_ONCE} clear notes at once: throughput / plain's": Figure.of(ratios(plain, ours, clear), "×", 5.0, "higher"),
        f"{AT_ONCE} synthesised ones without noise: throughput / plain's": Figure.of(ratios(plain, ours, said), "×", 5.0, "higher"),
        **mixed(plain, ours),
    }
