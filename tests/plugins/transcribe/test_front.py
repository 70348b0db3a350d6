"""Which recordings become text and when, who may keep theirs out, and what is handed on. Whisper is scripted."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from bot import Attachment, Audio, Chosen, Image, JobFailed, Listener, NoArgs, Quote, Reacted, Refused, Said, Setting, Text, Tool, UserError
from plugins.transcribe.choosing import NOTICES, Choosing, MyNotesArgs, VoiceArgs
from plugins.transcribe.front import TranscribeArgs
from plugins.transcribe.kept import Kept
from plugins.transcribe.notes import Note, Out
from plugins.transcribe.settings import Settings
from plugins.transcribe.writing import NOBODY
from tests.plugins.transcribe.people import ALICE, BOB, asked, context, cut, outcome, plugin, recording, scripted, sent, transcript, written

HELLO = "> Hello."
BOBS = Quote("m0", BOB, (recording(),))


@pytest.mark.parametrize(
    ("policy", "addressed", "shown"),
    [
        ("off", False, None),
        ("off", True, None),
        ("demand", False, None),
        ("demand", True, HELLO),
        ("addressed", False, None),
        ("addressed", True, HELLO),
        ("always", False, HELLO),
        ("always", True, HELLO),
    ],
)
async def test_a_chat_says_when_a_note_becomes_text(policy: str, addressed: bool, shown: str | None) -> None:
    acts = scripted(transcript("Hello."))
    reply = await outcome(sent(recording(), addressed=addressed), acts, policy=policy)
    assert (reply and reply.text) == shown
    assert len(acts.jobs) == (1 if shown or policy == "addressed" else 0)


@pytest.mark.parametrize("said", ["Hobnob, what time is it?", "So hop nob, what time is it?", "What is it, Hobnob?"])
async def test_a_note_that_says_the_bots_name_is_shown_and_answered(said: str) -> None:
    acts = scripted(transcript(said))
    assert await written(sent(recording()), acts, policy="addressed") == f"> {said}"
    [forwarded] = acts.forwarded
    assert (forwarded.text, [one.id for one in forwarded.mentions]) == (said, ["9"])


async def test_a_note_for_others_leaves_no_trace_even_when_it_cannot_be_heard() -> None:
    assert await outcome(sent(recording()), scripted(JobFailed("out of memory")), policy="addressed") is None
    acts = scripted(transcript("Nothing for bots."))
    assert await outcome(sent(recording()), acts, policy="addressed") is None
    assert acts.shown == []


@pytest.mark.parametrize("policy", ["always", "addressed"])
async def test_a_chat_is_told_once_that_its_notes_are_listened_to(policy: str) -> None:
    acts = scripted(transcript("One."), transcript("Two."))
    for _ in range(2):
        await outcome(sent(recording()), acts, policy=policy)
    assert [reply.text for reply in acts.posted] == [NOTICES[policy]]


@pytest.mark.parametrize("policy", ["off", "demand"])
async def test_nobody_is_told_what_does_not_happen(policy: str) -> None:
    acts = scripted()
    await outcome(sent(recording()), acts, policy=policy)
    assert acts.posted == []


async def test_an_admin_chooses_for_the_channel_and_the_chat_learns_of_it_at_once() -> None:
    acts = scripted()
    acts.holding = [Chosen("transcribe", "", True, "plugin", False, (Setting("policy", "always", "plugin"),), {}, "")]
    reply = await Choosing(Kept()).policy(context(sent(), acts), VoiceArgs(notes="addressed"))
    assert reply.text == NOTICES["addressed"]
    assert [(change.where, change.settings) for change in acts.changes] == [("channel", {"policy": "addressed"})]
    assert acts.stored["chat", "told"]


@pytest.mark.parametrize("addressed", [True, False])
async def test_a_person_keeps_their_own_notes_out_whatever_the_policy(addressed: bool) -> None:
    acts = scripted(transcript("Hello."))
    await Choosing(Kept()).mine(context(sent(), acts), MyNotesArgs(choice="out"))
    acts.of["1", "out"] = acts.stored["person", "out"]
    assert await outcome(sent(recording(), addressed=addressed), acts, policy="always") is None
    assert acts.jobs == []


async def test_they_may_let_them_in_again() -> None:
    acts = scripted()
    for choice in ("out", "in"):
        reply = await Choosing(Kept()).mine(context(sent(), acts), MyNotesArgs.model_validate({"choice": choice}))
        assert reply.private
        assert ("Send /mynotes in" in reply.text) is (choice == "out"), "who has only tried the command learns the way back"
    assert ("person", "out") not in acts.stored


async def test_nobody_else_has_them_written_down_either() -> None:
    acts = scripted()
    acts.of["2", "out"] = Out().model_dump_json().encode()
    with pytest.raises(Refused, match="Bob keeps their recordings out"):
        await plugin().demanded(context(sent(reply_to=BOBS), acts), TranscribeArgs())
    assert await plugin().reacted(context(sent(reply_to=BOBS, trigger=Reacted("✍")), acts)) is None


async def test_a_recording_is_written_down_on_demand() -> None:
    acts = scripted(transcript("Hello."))
    reply = await plugin().demanded(context(sent(reply_to=BOBS), acts, policy="demand"), TranscribeArgs())
    assert not isinstance(reply, str)
    assert reply.text == HELLO
    assert [(one.sender, one.id, one.text, one.addressed) for one in acts.forwarded] == [(BOB, "m0", "Hello.", False)]


async def test_who_points_at_no_recording_is_told_how_to() -> None:
    told = await plugin().demanded(context(sent(), scripted(), policy="demand"), TranscribeArgs())
    assert told == "Reply to a voice note, a sound file or a video with /transcribe, and I write down what is said in it."


async def test_where_it_is_off_it_is_off_for_all() -> None:
    with pytest.raises(Refused, match="An admin of this server can change that"):
        await plugin().demanded(context(sent(reply_to=BOBS), scripted(), policy="off"), TranscribeArgs())


async def test_a_reaction_finds_the_note_where_the_platform_does_not_show_it() -> None:
    acts = scripted(transcript("Hello."))
    assert await outcome(replace(sent(recording()), id="m0"), acts, policy="demand") is None
    sign = sent(reply_to=Quote("m0", replace(BOB, id="")), trigger=Reacted("✍"), by=BOB)
    reply = await plugin().reacted(context(sign, acts, policy="demand"))
    assert reply is not None
    assert reply.text == HELLO
    assert acts.forwarded[0].sender == ALICE
    assert await plugin().reacted(context(sign, acts, policy="demand")) is None, "it stands there already"


async def test_what_was_written_down_is_not_heard_again() -> None:
    acts = scripted(transcript("Hello."))
    await outcome(sent(recording()), acts)
    quote = Quote("m1", ALICE, (recording(),))
    reply = await plugin().demanded(context(sent(reply_to=quote), acts), TranscribeArgs())
    assert not isinstance(reply, str)
    assert (reply.text, len(acts.jobs)) == (HELLO, 1)


async def test_the_language_can_be_set_right() -> None:
    acts = scripted(transcript("Hello."), transcript("Hallo.", language="de"))
    await outcome(sent(recording()), acts)
    quote = Quote("m1", ALICE, (recording(),))
    await plugin().demanded(context(sent(reply_to=quote), acts), TranscribeArgs(spoken="German"))
    assert asked(acts)[-1].language == "de"
    with pytest.raises(ValidationError, match="expected a language that Whisper knows, such as English, de or Chinese, found “Klingon”"):
        TranscribeArgs(spoken="Klingon")


async def test_an_edited_caption_does_not_bring_the_text_again() -> None:
    acts = scripted(transcript("Hello."))
    await outcome(sent(recording(), addressed=True), acts)
    assert await outcome(sent(recording(), addressed=True, text="Really?", trigger=Said(1, "m1/0")), acts) is None
    assert (len(acts.jobs), acts.forwarded[-1].text) == (1, "Really?\nHello.")


@pytest.mark.parametrize(("voice", "audio_files", "heard"), [(True, False, True), (False, True, True), (False, False, False)])
async def test_sound_files_may_be_left_alone(voice: bool, audio_files: bool, heard: bool) -> None:
    acts = scripted(transcript("Hello."))
    reply = await outcome(sent(recording(voice=voice)), acts, audio_files=audio_files)
    assert (reply is not None, len(acts.jobs)) == (heard, int(heard))


async def test_what_is_said_to_the_bot_is_handed_on_as_if_it_were_typed() -> None:
    acts = scripted(transcript("What time is it?"))
    message = sent(recording(), addressed=True)
    assert await written(message, acts) == "> What time is it?"
    [forwarded] = acts.forwarded
    assert forwarded.parts == (Text("What time is it?"),)
    assert (forwarded.sender, forwarded.address, forwarded.id) == (ALICE, message.address, "m1")


async def test_what_is_said_to_others_is_handed_on_as_their_words() -> None:
    acts = scripted(transcript("We meet at nine."))
    await outcome(sent(recording(), text="For Ben"), acts)
    assert [(one.text, one.addressed, one.reply_to) for one in acts.forwarded] == [("We meet at nine.", False, None)]


@pytest.mark.parametrize(
    ("said", "settings"),
    [([], {}), (["Hello."], {"forward": False}), (["Hello."], {"policy": "off"})],
    ids=["nothing said", "answers to it not wanted", "no text of it wanted"],
)
async def test_what_was_typed_to_the_bot_is_handed_on_whatever_becomes_of_the_recording(said: list[str], settings: dict[str, Any]) -> None:
    picture = Image(Attachment("p", "image/png", 10))
    acts = scripted(transcript(*said))
    message = sent(recording(), addressed=True, text="Who is this?")
    await outcome(replace(message, parts=(*message.parts, picture)), acts, **settings)
    assert [message.parts for message in acts.forwarded] == [(Text("Who is this?"), picture)]


async def test_several_recordings_of_a_message_are_one_reply() -> None:
    acts = scripted(transcript("One."), transcript())
    acts.cut["w"] = cut(10.0)
    assert await written(sent(recording("v"), recording("w", voice=False)), acts) == f"> One.\n\n{NOBODY}"


async def test_names_that_were_heard_of_may_be_expected() -> None:
    acts = scripted(transcript("Hello."))
    message = replace(sent(recording()), mentions=(BOB,), subject="fishing, Trout and tackle")
    await outcome(message, acts, hints="Hobnob, Valkey", people=True, subject=True)
    assert asked(acts)[0].hints == "Hobnob, Valkey, Alice, Bob, fishing, Trout and tackle"


async def test_nothing_is_expected_unless_a_server_wants_it() -> None:
    acts = scripted(transcript("Hello."))
    await outcome(replace(sent(recording()), mentions=(BOB,), subject="fishing"), acts)
    assert asked(acts)[0].hints == ""


@pytest.mark.parametrize("script", [transcript(), UserError("This file has no sound track.")])
async def test_of_a_video_in_which_nobody_speaks_nothing_is_said_unless_it_is_asked_for(script: Any) -> None:
    video = Audio(Attachment("v", "video/mp4", 10))
    assert await outcome(sent(video), scripted(script)) is None
    with pytest.raises(UserError) if isinstance(script, UserError) else nullcontext():
        reply = await outcome(sent(video, addressed=True), scripted(script))
        assert reply is not None
        assert reply.text == NOBODY


async def test_a_model_that_fails_is_left_to_the_router() -> None:
    with pytest.raises(JobFailed):
        await outcome(sent(recording()), scripted(JobFailed("out of memory")))


async def test_a_recording_that_claims_to_be_too_long_is_refused_unheard() -> None:
    with pytest.raises(UserError, match="This recording is 20:00 long; here I write down at most 15:00"):
        await outcome(sent(recording(seconds=1200.0)), scripted())
    with pytest.raises(UserError, match="here I write down at most 30:00"):  # the operator may allow less than a server does
        await outcome(sent(recording(seconds=2000.0)), scripted(), longest=3600)


def test_only_messages_with_sound_are_listened_to() -> None:
    [route] = [one for one in plugin().register_routes() if isinstance(one, Listener)]
    assert route.predicate(sent(recording(), text="listen"))
    assert not route.predicate(sent(text="hello"))


def test_settings_take_only_languages_that_whisper_knows() -> None:
    assert Settings(language=" DE ").language == "de"
    with pytest.raises(ValidationError, match="expected the code of a language that Whisper knows, such as en, de or zh, found “klingon”"):
        Settings(language="klingon")


def test_a_note_outlives_a_restart() -> None:
    note = Note(message="m1", sender=ALICE, sounds=(recording(),))
    assert Note.model_validate_json(note.model_dump_json()) == note


async def test_the_tool_tells_what_is_said_in_the_note_that_is_replied_to_and_has_time_for_the_longest() -> None:
    [tool] = plugin().register_tools()
    assert isinstance(tool, Tool) and tool.timeout >= Settings().longest
    acts = scripted(transcript("Hello."))
    assert await tool.handler(context(sent(text="what?", reply_to=BOBS), acts, policy="demand"), NoArgs()) == "Hello."
    with pytest.raises(Refused, match="Recordings are not written down here"):
        await tool.handler(context(sent(text="what?", reply_to=BOBS), acts, policy="off"), NoArgs())
