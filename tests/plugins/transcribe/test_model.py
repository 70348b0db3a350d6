"""Whisper hears what is said, invents nothing where nobody speaks, and stops when nobody waits."""

from __future__ import annotations

import io
import itertools
import logging
import re
import socket
import subprocess
import sys
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import Blob, Placement, Transcribe
from bot.catalogue import load
from bot.media import Decoder
from plugins.transcribe.config import Config
from plugins.transcribe.model import UNKNOWN, Plugin, Whisper, heard
from tests.plugins.transcribe.notes import Note, Notes, note

AUDIO = Path(__file__).parents[2] / "data" / "audio"

SAID = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


async def clip(name: str) -> bytes:
    content = (AUDIO / name).read_bytes()

    async def pieces() -> Any:
        yield content

    [(made, _, _)] = [found async for found in Decoder().clips(pieces(), 60.0)]
    return made


def in_a_row(*spoken: bytes) -> bytes:
    """One recording of them all, with a second between two."""
    from plugins.transcribe.engine import samples

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        for one in spoken:
            file.writeframes(array("h", (int(value * 32767) for value in samples(one))).tobytes() + bytes(32_000))
    return out.getvalue()


def three_times(spoken: bytes) -> bytes:
    """More speech than one window takes."""
    return in_a_row(spoken, spoken, spoken)


def bare(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


@pytest.fixture(scope="module")
def whisper(models_dir: Path) -> Iterator[Whisper]:
    model = Whisper(Config(), load().models["whisper-base"])
    model.load(Placement("cpu", models_dir / model.weights, threads=2))
    yield model
    model.unload()


def test_the_model_half_serves_transcribe() -> None:
    [model] = Plugin(Config(), load()).register_models()
    assert (model.job, model.name, model.weights) == (Transcribe, "whisper-base", "whisper-base")


def test_an_incomplete_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(FileNotFoundError, match=r"expected config.json, tokenizer.json in .*hobnob models pull whisper-base"):
        Whisper(Config(), load().models["whisper-base"]).load(Placement("cpu", tmp_path))


@pytest.mark.parametrize(
    ("there", "on_gpu", "chosen"),
    [
        ({"int8", "float32", "int16"}, False, "int8"),
        ({"float32"}, False, "float32"),
        ({"int8_float16", "float16", "float32"}, True, "float16"),
        ({"int8_float32", "int8", "float32"}, True, "int8_float32"),
    ],
)
def test_it_computes_with_the_best_numbers_that_the_device_has(
    monkeypatch: pytest.MonkeyPatch, there: set[str], on_gpu: bool, chosen: str
) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda device: there)
    assert Whisper(Config(), load().models["whisper-base"])._compute(on_gpu) == chosen
    assert Whisper(Config(compute="float32"), load().models["whisper-base"])._compute(on_gpu) == "float32"


def test_another_models_files_are_refused(models_dir: Path) -> None:
    large = load().models["whisper-large-v3"]
    with pytest.raises(ValueError, match="expected 128 mel bins of whisper-large-v3, found 80"):
        Whisper(Config(), large).load(Placement("cpu", models_dir / "whisper-base"))


def test_times_lie_within_the_clip() -> None:
    [one] = heard([SimpleNamespace(text=" Hello.", start=-0.02, end=11.6, words=None)], 11.0)
    assert (one.text, one.start, one.end) == ("Hello.", 0.0, 11.0)


@pytest.mark.models
async def test_every_format_gives_the_same_words(whisper: Whisper) -> None:
    notes = {format: note(await clip(f"jfk.{format}")) for format in ("flac", "ogg", "webm", "m4a", "mp4", "mp3", "wav", "aac")}
    whisper.run(Notes(notes.values()))
    for format, one in notes.items():
        [transcript] = one.results
        assert bare(transcript.text) == bare(one.shown[-1]) == SAID, format
        assert (transcript.language, transcript.model) == ("en", "whisper-base")
        assert transcript.seconds == pytest.approx(11.0, abs=0.06)


@pytest.mark.models
async def test_a_telephone_gives_nearly_the_same_words(whisper: Whisper) -> None:
    one = note(await clip("jfk.amr"))
    whisper.run(Notes([one]))
    assert "ask not what your country can do for you" in bare(one.results[0].text)


@pytest.mark.models
@pytest.mark.parametrize("name", ["silence", "noise", "music", "short"])
async def test_where_nobody_speaks_there_are_no_words(whisper: Whisper, name: str) -> None:
    one = note(await clip(f"{name}.ogg"))
    whisper.run(Notes([one]))
    assert one.results[0].segments == ()
    assert one.shown == []


@pytest.mark.models
async def test_words_have_times_that_increase(whisper: Whisper) -> None:
    one = note(await clip("jfk.ogg"), words=True)
    whisper.run(Notes([one]))
    words = [word for segment in one.results[0].segments for word in segment.words]
    assert bare(" ".join(word.text for word in words)) == SAID
    assert all(word.start <= word.end <= 11.0 and 0.0 <= word.probability <= 1.0 for word in words)
    assert all(before.start <= after.start for before, after in itertools.pairwise(words))


@pytest.mark.models
async def test_chinese_has_its_punctuation(whisper: Whisper) -> None:
    notes = [note((AUDIO / f"spoken/zh-{number:03}.ogg").read_bytes(), language="zh") for number in (56, 57, 60)]
    whisper.run(Notes(notes))
    texts = [one.results[0].text for one in notes]
    assert all(re.search("[，。！？,.!?]", text) for text in texts), texts


@pytest.mark.models
async def test_the_language_is_found_out_and_what_is_said_in_it_is_translated_into_english(whisper: Whisper) -> None:
    content = await clip("german.ogg")
    notes = [note(content), note(content, translate=True)]
    whisper.run(Notes(notes))
    assert [one.results[0].language for one in notes] == ["de", "de"]
    assert [one.results[0].text.partition(",")[0][:12] for one in notes] == ["Guten Morgen", "Good morning"]


@pytest.mark.models
async def test_a_known_language_and_hints_are_used(whisper: Whisper) -> None:
    one = note(await clip("jfk.ogg"), language="en", hints="Americans, JFK")
    whisper.run(Notes([one]))
    assert one.results[0].language == "en"
    assert "ask what you can do for your country" in bare(one.results[0].text)


@pytest.mark.models
async def test_a_language_that_no_whisper_knows_fails_that_job_alone(whisper: Whisper) -> None:
    content = await clip("jfk.ogg")
    wrong, right = note(content, language="xx"), note(content, language="en")
    whisper.run(Notes([wrong, right]))
    assert wrong.refused == [UNKNOWN]
    assert not wrong.results
    assert bare(right.results[0].text) == SAID


@pytest.mark.models
async def test_a_cancelled_job_ends_between_two_segments(whisper: Whisper) -> None:
    others = [await clip(f"spoken/en-{number:03}.ogg") for number in range(64, 92, 4)]  # what repeats itself is heard by chance
    one = note(in_a_row(await clip("jfk.flac"), *others), cancel_after=1, language="en")
    whisper.run(Notes([one]))
    assert len(one.shown) == 1
    assert not one.results
    assert not one.failures


@pytest.mark.models
async def test_a_long_job_that_is_cancelled_while_its_language_is_detected_is_not_transcribed(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, did = whisper.engine, list[str]()

    def count(what: str) -> None:
        method = getattr(engine, what)

        def counted(*given: Any) -> Any:
            made = method(*given)
            did.append(what)
            return made

        monkeypatch.setattr(engine, what, counted)

    class Impatient(Note):
        @property
        def cancelled(self) -> bool:
            return "encode" in did

    for what in ("encode", "generate_with_fallback"):
        count(what)

    content = three_times(await clip("jfk.flac"))
    one = Impatient(Transcribe(audio=Blob("clip", "audio/flac", len(content))), content)
    after = note(await clip("jfk.flac"))
    whisper.run(Notes([one]))
    assert (did, one.results, one.failures) == (["encode"], [], [])
    whisper.run(Notes([after]))
    assert bare(after.results[0].text) == SAID


@pytest.mark.models
async def test_what_is_no_sound_fails_alone(whisper: Whisper) -> None:
    header = io.BytesIO()
    with wave.open(header, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    wrong, empty, right = note(b"no sound at all"), note(header.getvalue()), note(await clip("short.ogg"))
    whisper.run(Notes([wrong, empty, right]))
    assert "expected a clip" in wrong.failures[0] and "expected a clip" in empty.failures[0]
    assert right.results


@pytest.mark.models
async def test_where_another_model_is_due_the_rest_is_read_in_a_later_turn(whisper: Whisper) -> None:
    short, long = note(await clip("short.ogg")), note(await clip("jfk.flac"))
    whisper.run(Notes([long, short], ends=True))
    assert short.results
    assert not long.results
    whisper.run(Notes([long]))
    assert bare(long.results[0].text) == SAID


@pytest.mark.models
async def test_it_hears_the_same_after_it_was_parked(whisper: Whisper) -> None:
    """On a CPU the library moves nothing; that its calls are there, and harm nothing, is all that can be seen here."""
    one = note(await clip("jfk.flac"), language="en")
    whisper.park()
    whisper.unpark()
    whisper.run(Notes([one]))
    assert bare(one.results[0].text) == SAID


@pytest.mark.models
async def test_no_network_is_touched_and_nothing_is_logged(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    content = await clip("short.ogg")

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was tried")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    model = Whisper(Config(beam=1), load().models["whisper-base"])
    with caplog.at_level(logging.INFO):
        model.load(Placement("cpu", models_dir / model.weights, threads=1))
        model.run(Notes([note(content)]))
        model.unload()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert capfd.readouterr() == ("", "")


def test_nothing_heavy_is_imported_before_load() -> None:
    program = "import sys, bot.media, plugins.transcribe.model, plugins.transcribe.front\n"
    program += "print([name for name in ('faster_whisper', 'ctranslate2', 'numpy', 'torch', 'av') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60).stdout == "[]\n"
