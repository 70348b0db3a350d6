"""Several speakers are told apart: a network says what voices sound like, and whose it is follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot import Blob, ConfigError, Entry, JobCancelled, JobFailed, Placement, Segment, Transcript
from bot.catalogue import load
from plugins.transcribe import formats
from plugins.transcribe.config import Config
from plugins.transcribe.front import Plugin
from plugins.transcribe.jobs import Compare, Voices
from plugins.transcribe.model import Plugin as Models
from plugins.transcribe.speakers import Speakers
from plugins.transcribe.voices import Voice
from plugins.transcribe.writing import body, timed
from tests.plugins.transcribe.notes import Notes, note
from tests.plugins.transcribe.people import asked, context, cut, recording, scripted, sent, transcript, whole
from tests.plugins.transcribe.subtitles import check_times, cues

AUDIO = Path(__file__).parents[2] / "data" / "audio"
ENTRY: Entry = load().models["speakers-resnet34"]
ANN, BEN = (1.0, 0.0), (0.0, 1.0)


def said(*voices: Sequence[float], seconds: float = 2.0) -> Transcript:
    """Each voice says one thing."""
    segments = tuple(Segment(start=at * seconds, end=(at + 1) * seconds, text=f"{at}.") for at in range(len(voices)))
    return Transcript(language="en", seconds=30.0, segments=segments, model="whisper-base")


def numbers(speakers: Speakers, *voices: Sequence[float], seconds: float = 2.0) -> list[int]:
    return [one.speaker for one in speakers.told_apart(said(*voices, seconds=seconds), voices).segments]


def test_who_spoke_before_is_known_again_also_in_a_later_clip() -> None:
    speakers = Speakers()
    assert numbers(speakers, ANN, BEN, (0.9, 0.2)) == [1, 2, 1]
    assert numbers(speakers, (0.1, 0.8), ANN, (-1.0, -1.0)) == [2, 1, 3]


def test_what_is_too_short_to_tell_is_nobody_new() -> None:
    speakers = Speakers()
    assert numbers(speakers, ANN, BEN) == [1, 2]
    assert numbers(speakers, (), (0.6, 0.4), (-1.0, -0.9), seconds=1.0) == [2, 1, 2], "said before; likest; likest of all that are far"


def test_a_recording_may_begin_with_what_is_too_short_to_tell() -> None:
    speakers = Speakers()
    assert numbers(speakers, (), ANN, ANN, seconds=1.0) == [1, 1, 1]
    assert numbers(speakers, BEN, ANN) == [2, 1]


def network(path: Path, below: Sequence[float] = (0.0,) * 80) -> Path:
    """A network that says of a voice how strong each of 80 bands is, above these."""
    from onnx import TensorProto, helper, save_model

    nodes = [
        helper.make_node("Abs", ["x"], ["strong"]),
        helper.make_node("ReduceMean", ["strong"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["mean", "below"], ["embs"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", 80])
    y = helper.make_tensor_value_info("embs", TensorProto.FLOAT, ["N", 80])
    graph = helper.make_graph(nodes, "voices", [x], [y], [helper.make_tensor("below", TensorProto.FLOAT, [80], below)])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    told = {"framework": "wespeaker", "language": "English", "url": "", "comment": "", "sample_rate": "16000", "output_dim": "80"}
    helper.set_model_props(made, {**told, "normalize_samples": "0"})
    path.mkdir(exist_ok=True)
    save_model(made, path / "voices.onnx")
    return path


def compared(folder: Path, *files: tuple[str, Sequence[tuple[float, float]]]) -> list[tuple[float, ...]]:
    model = Voice(ENTRY)
    model.load(Placement("cpu", folder))
    found: list[tuple[float, ...]] = []
    for name, spans in files:
        content = (AUDIO / name).read_bytes()
        one: Any = note(content)
        one.job = Compare(audio=Blob("clip", "audio/flac", len(content)), spans=tuple(spans))
        model.run(Notes([one]))  # type: ignore[arg-type]  # the batch is of the other job
        [voices] = one.results
        found += voices.voices
    model.unload()
    return found


def test_two_voices_differ_and_one_is_like_itself(tmp_path: Path) -> None:
    speeches = ("jfk.flac", ((0.0, 7.0), (3.8, 10.8), (6.0, 6.3))), ("german.ogg", ((0.0, 3.0), (0.6, 3.6)))
    first, second, short, german, other = compared(network(tmp_path / "raw"), *speeches)
    assert (len(first), short) == (80, ())
    middle = [(a + b + c + d) / 4 for a, b, c, d in zip(first, second, german, other, strict=True)]
    kennedy, again, _, synthesiser, later = compared(network(tmp_path / "voices", middle), *speeches)
    assert numbers(Speakers(), kennedy, synthesiser, again, later) == [1, 2, 1, 2]


def test_another_file_than_a_network_for_speakers_is_refused_before_the_library_sees_it(tmp_path: Path) -> None:
    from onnx import load_model, save_model

    file = network(tmp_path / "voices") / "voices.onnx"
    made = load_model(file)
    del made.metadata_props[:]
    save_model(made, file)
    with pytest.raises(ValueError, match="lacks framework, output_dim, sample_rate"):
        Voice(ENTRY).load(Placement("cpu", file.parent))
    with pytest.raises(FileNotFoundError, match=r"expected one .onnx file in .*, found 0: run `hobnob models pull speakers-resnet34`"):
        Voice(ENTRY).load(Placement("cpu", tmp_path))


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.transcribe import voices

    monkeypatch.setattr(voices, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="expected the library sherpa-onnx beside Hobnob, found none: install the extra `speakers`"):
        Voice(ENTRY).load(Placement("cpu", tmp_path))


def test_the_operator_chooses_the_model() -> None:
    assert [type(one) for one in Models(Config(voices="speakers-resnet34"), load()).register_models()][1:] == [Voice]
    with pytest.raises(ConfigError, match="voices: whisper-tiny is a model for speech, expected one of the kind speakers"):
        Plugin(Config(voices="whisper-tiny"), load())
    with pytest.raises(ValidationError):
        Config.model_validate({"voices": 7})


async def test_speakers_are_told_apart_over_all_clips_where_a_server_wants_that() -> None:
    hello, well = transcript("Hello.", "Who is it?"), transcript("It is me.")
    acts = scripted(hello, Voices(voices=(ANN, BEN)), well, Voices(voices=(ANN,)), clips=cut(10.0, 9.0))
    made = Plugin(Config(voices="speakers-resnet34"), load())
    reply = await made.noticed(context(sent(recording()), acts, speakers=True))
    assert reply is not None
    assert reply.text == "> **Speaker 1:** Hello.\n>\n> **Speaker 2:** Who is it?\n>\n> **Speaker 1:** It is me."
    [first, second] = [job for job in acts.jobs if isinstance(job, Compare)]
    assert (first.spans, second.spans) == (((0.0, 2.0), (2.0, 4.0)), ((0.0, 2.0),))
    for speakers, config in ((False, Config(voices="speakers-resnet34")), (True, Config())):
        acts = scripted(transcript("Hello."))
        await Plugin(config, load()).noticed(context(sent(recording()), acts, speakers=speakers))
        assert acts.jobs == asked(acts)


async def test_where_voices_cannot_be_told_apart_the_words_stay() -> None:
    both, nobody = (transcript("Hello.", "Who is it?"), Voices(voices=(ANN, BEN))), (transcript("It is me."), JobFailed("no extra"))
    made = Plugin(Config(voices="speakers-resnet34"), load())
    reply = await made.noticed(context(sent(recording()), scripted(*both, *nobody, clips=cut(10.0, 9.0)), speakers=True))
    assert reply is not None
    assert reply.text == "> **Speaker 1:** Hello.\n>\n> **Speaker 2:** Who is it?\n>\n> It is me."
    with pytest.raises(JobCancelled):
        await made.noticed(context(sent(recording()), scripted(transcript("Hello."), JobCancelled("")), speakers=True))


def test_files_say_who_speaks_and_nobody_is_numbered_who_is_alone() -> None:
    both = whole(Speakers().told_apart(said(ANN, ANN, BEN), (ANN, ANN, BEN)))
    assert formats.txt(both) == "Speaker 1: 0. 1.\n\nSpeaker 2: 2.\n"
    assert timed(both).splitlines()[2] == "`0:04` **Speaker 2:** 2."
    assert "<v Speaker 2>2." in formats.vtt(both)
    for format in ("srt", "vtt"):
        found = cues(formats.ALL[format][1](both), format)
        check_times(found, both.seconds)
        assert found[2][2].endswith("2.")
    assert '"speaker": 2' in formats.as_json(both)
    alone = whole(Speakers().told_apart(said(ANN, ANN), (ANN, ANN)))
    assert (body(alone), formats.srt(alone).count("Speaker")) == ("0. 1.", 0)
