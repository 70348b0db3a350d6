"""Whisper beside plain faster-whisper, with the same weights, options and cores: one note, longer ones, many at once, word errors.

Clear notes are real speech; what a synthesiser says without noise is not clear to Whisper base, which gets every other word wrong. Where
a text is doubtful Whisper tries again with chance, and no two runs make the same errors; so errors are compared without these tries too.
Plain is what takes the time here, and it takes as long for a note whatever comes before: of many clear notes, which are all alike, it reads
every sixth; of the synthesised ones all, each timed. What either hears without chance is what it computed until it took any, and that is
remembered (`remembered.py`).
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

from faster_whisper import WhisperModel

from bot import Placement, catalogue
from bot.config import load
from bot.media import Decoder
from plugins.transcribe.config import Config
from plugins.transcribe.listening import WINDOW
from plugins.transcribe.model import SILENT, TEMPERATURES, VOICES, Whisper
from tests.bench.figures import Figure
from tests.bench.remembered import Remembered
from tests.plugins.transcribe.notes import Notes, note

RUNS = 3
AT_ONCE = 32

CAUSES = {
    "those among them without noise: throughput / plain's": "to Whisper base they are not clear: doubtful ones are read once more, in the "
    "full window.",
}
"""Why goals are missed."""

AUDIO = Path(__file__).parents[1] / "data" / "audio"
SPEECH = AUDIO / "jfk.wav"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip of the set that a synthesiser spoke: language, noise ("clean" or the ratio in dB) and what it says."""

    path: Path
    language: str
    noise: str
    text: str

    @property
    def content(self) -> bytes:
        """Its file."""
        return self.path.read_bytes()


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What plain heard of a note, in how many seconds, and whether it took chance for it."""

    text: str
    seconds: float
    chance: bool


class Trying(WhisperModel):  # type: ignore[misc]  # the library has no types
    """Remembers the highest temperature that it took."""

    highest = 0.0

    def generate_with_fallback(self, *given: Any) -> Any:
        """As the library does, window by window."""
        found = super().generate_with_fallback(*given)
        self.highest = max(self.highest, found[2])
        return found


class Plain:
    """faster-whisper as it comes, note after note."""

    temperatures: Sequence[float] = TEMPERATURES

    def __init__(self, folder: Path, threads: int) -> None:
        self._model = Trying(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
        self._model.model = self.network = Remembered(self._model.model)

    def texts(self, notes: Sequence[bytes]) -> list[str]:
        """What it hears."""
        return [self.heard(one).text for one in notes]

    def heard(self, content: bytes) -> Heard:
        """One note."""
        options: dict[str, Any] = {
            "beam_size": Config().beam,
            "temperature": tuple(self.temperatures),
            "condition_on_previous_text": False,
            "vad_filter": True,
            "vad_parameters": dict(VOICES),
            "no_speech_threshold": SILENT,
        }
        self._model.highest, began = 0.0, time.perf_counter()
        segments, _ = self._model.transcribe(io.BytesIO(content), **options)
        text = "".join(segment.text for segment in segments).strip()
        return Heard(text, time.perf_counter() - began, chance=self._model.highest > 0.0)


class Ours:
    """The plugin's model, with the clips that the front half would cut; words and their times included."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._model = Whisper(Config(), catalogue.load().models["whisper-base"])
        self._model.load(Placement("cpu", folder, threads=threads))
        assert self._model.engine is not None
        self._model.engine.model = self.network = Remembered(self._model.engine.model)

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


def at_once(plain: Plain, ours: Ours, notes: Sequence[bytes]) -> float:
    """Plain's time through ours, when all notes come at once. Plain reads every sixth, as good as any: they are cut from one speech."""
    some = notes[::6]
    return seconds(plain.texts, some) * len(notes) / len(some) / seconds(ours.texts, notes)


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


def wrong(clips: Sequence[Spoken], texts: Sequence[str]) -> float:
    """Words of a hundred that were misheard."""
    pairs = [(words(clip.text, clip.language), words(text, clip.language)) for clip, text in zip(clips, texts, strict=True)]
    return 100.0 * sum(errors(meant, said) for meant, said in pairs) / sum(len(meant) for meant, _ in pairs)


def mixed(plain: Plain, ours: Ours) -> dict[str, Figure]:
    """How fast they are with a third of the set at a time, which has all languages and noises, and what they get wrong of the whole."""
    thirds = [spoken()[at::3] for at in range(3)]
    theirs: list[Heard] = []
    mine: list[str] = []
    faster, faster_clean = [], []
    for part in thirds:
        heard = [plain.heard(clip.content) for clip in part]
        began = time.perf_counter()
        mine += ours.texts([clip.content for clip in part])
        faster.append(sum(one.seconds for one in heard) / (time.perf_counter() - began))
        clean = {clip.content: one.seconds for clip, one in zip(part, heard, strict=True) if clip.noise == "clean"}
        faster_clean.append(sum(clean.values()) / seconds(ours.texts, list(clean)))
        theirs += heard
    clips = [clip for part in thirds for clip in part]
    return {
        f"{len(clips) // 3} mixed notes at once: throughput / plain's": Figure.of(faster, "×", 3.0, "higher"),
        "those among them without noise: throughput / plain's": Figure.of(faster_clean, "×", 5.0, "higher"),
        **_errors(clips, "", [one.text for one in theirs], mine),
        **_errors(clips, " without chance", *without_chance(plain, ours, thirds, theirs)),
    }


def _errors(clips: Sequence[Spoken], how: str, theirs: Sequence[str], mine: Sequence[str]) -> dict[str, Figure]:
    plains = wrong(clips, theirs)
    what = f"word errors{how} above plain's {plains:.1f} %, {len(clips)} clips"
    return {what: Figure.of([wrong(clips, mine) - plains], "points", 0.1, "lower")}


def without_chance(plain: Plain, ours: Ours, thirds: Sequence[Sequence[Spoken]], theirs: Sequence[Heard]) -> tuple[list[str], list[str]]:
    """What both hear then. Plain would hear the same again of what it heard with none."""
    plain.temperatures = ours.temperatures = (0.0,)
    clips = [clip for part in thirds for clip in part]
    with plain.network.recalling(), ours.network.recalling():
        mine = [text for part in thirds for text in ours.texts([clip.content for clip in part])]
        heard = [plain.heard(clip.content) if one.chance else one for clip, one in zip(clips, theirs, strict=True)]
    plain.temperatures = ours.temperatures = TEMPERATURES
    return [one.text for one in heard], mine


def measure(*, quick: bool = False) -> dict[str, Figure]:
    folder, threads = load().models_dir / "whisper-base", os.cpu_count() or 1
    plain, ours = Plain(folder, threads), Ours(folder, threads)
    for texts in (plain.texts, ours.texts):
        texts([stretch(5.0, 0)])  # the first is slower
    short = [[stretch(5.2, 10 * run)] for run in range(RUNS)]
    figures = {"5 s note: plain's time / ours (int8)": Figure.of(ratios(plain, ours, short), "×", 2.0, "higher")}
    if quick:
        return figures
    eleven = [[stretch(11.0, 10 * run)] for run in range(RUNS)]
    minute = [[stretch(11.0, 10 * run, times=5)] for run in range(RUNS)]
    clear = [[stretch(4.0 + number % 5, 10 * number + run) for number in range(AT_ONCE)] for run in range(RUNS)]
    many = [at_once(plain, ours, notes) for notes in clear]
    with plain.network.noting(), ours.network.noting():
        errors_and_pace = mixed(plain, ours)
    return figures | {
        "11 s note: plain's time / ours": Figure.of(ratios(plain, ours, eleven), "×", 0.91, "higher"),
        "60 s file: plain's time / ours": Figure.of(ratios(plain, ours, minute), "×", 0.91, "higher"),
        f"{AT_ONCE} clear notes at once: throughput / plain's": Figure.of(many, "×", 5.0, "higher"),
        **errors_and_pace,
    }
