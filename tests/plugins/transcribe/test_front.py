"""The front half of transcribe: which recordings become text, what the chat is shown, what is handed on. Whisper is scripted."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot import (
    Address,
    Attachment,
    Audio,
    Blob,
    Clip,
    Context,
    Image,
    JobFailed,
    Listener,
    Message,
    Person,
    Progress,
    Reply,
    Segment,
    Text,
    TextSoFar,
    Transcribe,
    Transcript,
    UserError,
    Word,
)
from bot.messages import Part
from bot.testing import Scripted, ScriptedActs
from plugins.transcribe.config import Config
from plugins.transcribe.front import NOBODY, Plugin, joined
from plugins.transcribe.settings import Settings

ALICE = Person("1", "Alice")


def recording(id: str = "v", *, voice: bool = True, seconds: float = 0.0) -> Audio:
    return Audio(Attachment(id, "audio/ogg", 10), voice=voice, seconds=seconds)


def sent(*sounds: Audio, addressed: bool = False, text: str = "") -> Message:
    parts: tuple[Part, ...] = (Text(text), *sounds) if text else sounds
    return Message("m1", "m1/0", Address("room", "lobby", "lobby"), ALICE, parts, at=5.0, me="9", addressed=addressed)


def transcript(*said: str, language: str = "en", seconds: float = 10.0) -> Transcript:
    """Each sentence takes two seconds."""
    segments = tuple(Segment(start=2.0 * at, end=2.0 * at + 2.0, text=text) for at, text in enumerate(said))
    return Transcript(language=language, seconds=seconds, segments=segments, model="whisper-base")


def cut(*lengths: float) -> list[Clip]:
    return [Clip(Blob(f"clip-{at}", "audio/flac", 10), sum(lengths[:at]), length) for at, length in enumerate(lengths)]


def scripted(*script: Scripted, clips: list[Clip] | None = None) -> ScriptedActs:
    acts = ScriptedActs(*script)
    acts.cut["v"] = clips or cut(10.0)
    return acts


async def outcome(message: Message, acts: ScriptedActs, **settings: Any) -> Reply | None:
    return await Plugin(Config(longest=1800)).transcribe(
        Context(message, Settings(**settings), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    )


async def written(message: Message, acts: ScriptedActs, **settings: Any) -> str:
    reply = await outcome(message, acts, **settings)
    assert reply is not None
    return reply.text


def asked(acts: ScriptedActs) -> list[Transcribe]:
    return [job for job in acts.jobs if isinstance(job, Transcribe)]


async def test_a_voice_note_comes_back_as_text() -> None:
    acts = scripted(transcript("Good morning.", "How are you?"))
    assert await written(sent(recording()), acts) == "Good morning. How are you?"
    assert [job.audio.id for job in asked(acts)] == ["clip-0"]


async def test_where_nobody_speaks_the_reply_says_so() -> None:
    assert await written(sent(recording()), scripted(transcript())) == NOBODY


@pytest.mark.parametrize(
    ("voice", "settings", "heard"),
    [
        (True, {"voice_notes": False}, False),
        (True, {"audio_files": False}, True),
        (False, {"voice_notes": False}, True),
        (False, {"audio_files": False}, False),
    ],
)
async def test_a_server_says_which_recordings_become_text(voice: bool, settings: dict[str, bool], heard: bool) -> None:
    acts = scripted(transcript("Hello."))
    reply = await outcome(sent(recording(voice=voice)), acts, **settings)
    assert (reply is not None, len(acts.jobs)) == (heard, int(heard))


async def test_the_text_grows_in_the_chat_while_it_is_heard() -> None:
    acts = scripted(
        (Progress(done=1, total=2, unit="windows"), TextSoFar(text="Good"), TextSoFar(text="Good morning."), transcript("Good morning."))
    )
    await written(sent(recording()), acts)
    assert [reply.text for reply in acts.shown] == ["Good …", "Good morning. …"]


async def test_clips_run_in_order_and_the_earlier_ones_stay_in_sight() -> None:
    script = [(TextSoFar(text="One."), transcript("One.", seconds=50.0)), (TextSoFar(text="Two."), transcript("Two.", seconds=20.0))]
    acts = scripted(*script, clips=cut(50.0, 20.0))
    assert await written(sent(recording()), acts) == "[0:00] One. Two."
    assert [job.audio.id for job in asked(acts)] == ["clip-0", "clip-1"]
    assert [reply.text for reply in acts.shown] == ["One. …", "One.\n\nTwo. …"]


async def test_a_long_recording_has_a_paragraph_a_minute_with_its_time() -> None:
    acts = scripted(*(transcript(word, seconds=50.0) for word in ("One.", "Two.", "Three.", "Four.")), clips=cut(50.0, 50.0, 50.0, 50.0))
    assert await written(sent(recording()), acts) == "[0:00] One. Two.\n\n[1:40] Three. Four."


def test_times_count_from_the_start_of_the_whole_recording() -> None:
    part = Transcript(
        language="en",
        seconds=5.0,
        segments=(Segment(start=1.0, end=2.0, text="Two", words=(Word(start=1.0, end=2.0, text="Two", probability=0.9),)),),
        model="whisper-base",
    )
    whole = joined(transcript("One.", seconds=60.0), part, 60.0)
    assert [(one.start, one.end) for one in whole.segments] == [(0.0, 2.0), (61.0, 62.0)]
    assert [(word.start, word.end) for word in whole.segments[1].words] == [(61.0, 62.0)]
    assert whole.seconds == 65.0


async def test_what_is_said_to_the_bot_is_handed_on_as_if_it_were_typed() -> None:
    acts = scripted(transcript("What time is it?"))
    message = sent(recording(), addressed=True)
    assert await written(message, acts) == "What time is it?"
    [forwarded] = acts.forwarded
    assert forwarded.parts == (Text("What time is it?"),)
    assert (forwarded.sender, forwarded.address, forwarded.id) == (ALICE, message.address, "m1")


@pytest.mark.parametrize(
    ("addressed", "said", "settings"),
    [(False, ["Hello."], {}), (True, [], {}), (True, ["Hello."], {"forward": False})],
    ids=["said to others", "nothing said", "not wanted here"],
)
async def test_nothing_else_is_handed_on(addressed: bool, said: list[str], settings: dict[str, bool]) -> None:
    acts = scripted(transcript(*said))
    await written(sent(recording(), addressed=addressed), acts, **settings)
    assert acts.forwarded == []


async def test_what_was_typed_beside_the_recording_is_handed_on_with_it() -> None:
    acts = scripted(transcript("We meet at nine."))
    await written(sent(recording(), addressed=True, text="When do they meet?"), acts)
    assert acts.forwarded[0].parts == (Text("When do they meet?"), Text("We meet at nine."))


@pytest.mark.parametrize(
    ("said", "settings"),
    [([], {}), (["Hello."], {"forward": False}), (["Hello."], {"voice_notes": False})],
    ids=["nothing said", "answers to it not wanted", "no text of it wanted"],
)
async def test_what_was_typed_to_the_bot_is_handed_on_whatever_becomes_of_the_recording(said: list[str], settings: dict[str, bool]) -> None:
    picture = Image(Attachment("p", "image/png", 10))
    acts = scripted(transcript(*said))
    message = sent(recording(), addressed=True, text="Who is this?")
    await outcome(replace(message, parts=(*message.parts, picture)), acts, **settings)
    assert [message.parts for message in acts.forwarded] == [(Text("Who is this?"), picture)]


async def test_what_is_handed_on_bears_no_times() -> None:
    acts = scripted(transcript("One.", seconds=50.0), transcript("Two.", seconds=50.0), clips=cut(50.0, 50.0))
    await written(sent(recording(), addressed=True), acts)
    assert acts.forwarded[0].text == "One. Two."


async def test_several_recordings_of_a_message_are_one_reply() -> None:
    acts = scripted(transcript("One."), transcript())
    acts.cut["w"] = cut(10.0)
    assert await written(sent(recording("v"), recording("w", voice=False)), acts) == f"One.\n\n{NOBODY}"


async def test_a_recording_that_claims_to_be_too_long_is_refused_unheard() -> None:
    with pytest.raises(UserError, match="This recording is 20:00 long; here I write down at most 15:00"):
        await outcome(sent(recording(seconds=1200.0)), ScriptedActs())


async def test_the_operator_may_allow_less_than_a_server_does() -> None:
    with pytest.raises(UserError, match="here I write down at most 30:00"):
        await outcome(sent(recording(seconds=2000.0)), ScriptedActs(), longest=3600)


@pytest.mark.parametrize(("longest", "heard"), [(90, False), (100, True)])
async def test_a_recording_that_turns_out_too_long_is_refused(longest: int, heard: bool) -> None:
    acts = scripted(transcript("One."), transcript("Two."), clips=cut(50.0, 50.0))
    with nullcontext() if heard else pytest.raises(UserError, match="too long"):
        await outcome(sent(recording(seconds=3.0)), acts, longest=longest)
    assert len(acts.jobs) == (2 if heard else 0)


async def test_the_servers_language_goes_for_every_clip() -> None:
    acts = scripted(transcript("Hallo.", language="de"), transcript("Tag.", language="de"), clips=cut(50.0, 50.0))
    await written(sent(recording()), acts, language="de")
    assert [job.language for job in asked(acts)] == ["de", "de"]


async def test_a_short_rest_is_in_the_language_of_what_came_before() -> None:
    script = [transcript("Hallo.", language="de", seconds=50.0), transcript("Bonjour.", language="fr", seconds=30.0), transcript("Oui.")]
    acts = scripted(*script, clips=cut(50.0, 30.0, 4.0))
    await written(sent(recording()), acts)
    assert [job.language for job in asked(acts)] == [None, None, "fr"]


async def test_a_clip_without_speech_says_nothing_about_the_language() -> None:
    acts = scripted(transcript("Hallo.", language="de"), transcript(language="ja"), transcript("Ja."), clips=cut(50.0, 50.0, 4.0))
    await written(sent(recording()), acts)
    assert asked(acts)[-1].language == "de"


async def test_a_model_that_fails_is_left_to_the_router() -> None:
    with pytest.raises(JobFailed):
        await outcome(sent(recording()), scripted(JobFailed("out of memory")))


def test_only_messages_with_sound_are_listened_to() -> None:
    [route] = Plugin(Config()).register_routes()
    assert isinstance(route, Listener)
    assert route.predicate(sent(recording(), text="listen"))
    assert not route.predicate(sent(text="hello"))


def test_settings_take_only_languages_that_whisper_knows() -> None:
    assert Settings(language=" DE ").language == "de"
    with pytest.raises(ValidationError, match="expected the code of a language that Whisper knows, such as en, de or zh, found 'klingon'"):
        Settings(language="klingon")
