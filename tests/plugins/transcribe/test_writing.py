"""What the chat sees of a transcript, what other programs are given, and what else can be made of it. Models are scripted."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from pydantic import BaseModel

from bot import Action, Answer, Button, File, Generate, Limits, NoArgs, Reply, Segment, UserError
from bot.testing import Scripted, ScriptedActs
from plugins.transcribe import formats
from plugins.transcribe.after import PIECE, SHORT, Into, pieces
from plugins.transcribe.chinese import in_script
from plugins.transcribe.notes import Note, calls
from plugins.transcribe.phantoms import phantom
from plugins.transcribe.writing import text_of
from tests.plugins.transcribe.people import ALICE, asked, context, outcome, plugin, recording, scripted, sent, transcript, whole, written
from tests.plugins.transcribe.subtitles import check_times, cues

LARGE = "qwen2.5-7b-instruct"


def said(*texts: str) -> ScriptedActs:
    return scripted(transcript(*texts))


async def clicked(acts: ScriptedActs, action: str, **settings: object) -> Reply:
    """What a button gives of a note that was written down."""
    await outcome(sent(recording()), acts, **settings)
    [route] = [one for one in plugin().register_routes() if isinstance(one, Action) and one.name == action]
    note = Note.model_validate_json(acts.stored["chat", "note:m1"])
    payload: BaseModel = Into(note=note, language="French") if action == "into" else note
    reply = await route.handler(context(sent(), acts), payload)
    assert isinstance(reply, Reply)
    return reply


def answer(text: str) -> Answer:
    return Answer(text=text, finish="stop", prompt_tokens=1, tokens=1, model=LARGE)


async def labels(acts: ScriptedActs) -> list[str]:
    reply = await outcome(sent(recording()), acts)
    assert reply is not None
    return [button.label for button in reply.buttons if isinstance(button, Button)]


async def test_a_text_that_fits_two_messages_is_there_whole_and_notifies_nobody() -> None:
    text = " ".join(["word"] * 700)
    reply = await outcome(sent(recording()), said(text))
    assert reply is not None
    assert (reply.text, reply.silent, len(reply.parts)) == (f"> {text}", True, 1)


async def test_of_a_longer_one_the_beginning_is_shown_and_all_of_it_is_a_file() -> None:
    text = " ".join(["word"] * 900)
    acts = said(text)
    reply = await outcome(sent(recording()), acts)
    assert reply is not None
    [file] = [part for part in reply.parts if isinstance(part, File)]
    assert reply.text.startswith("> word word")
    assert reply.text.endswith("word …")
    assert len(reply.text) < 750
    assert (file.source.name, acts.files[file.source.id].decode()) == ("transcript.txt", f"{text}\n")


async def test_how_much_fits_is_the_platforms_affair() -> None:
    acts = said(" ".join(["word"] * 900))
    acts.limits = Limits(text=4096, file=1 << 20, edit_interval=1.0)
    reply = await outcome(sent(recording()), acts)
    assert reply is not None
    assert len(reply.parts) == 1


async def test_a_language_is_named_where_another_one_was_expected() -> None:
    acts = scripted(*(transcript("Hallo.", language=code) for code in ("en", "de", "de", "en")))
    assert [await written(sent(recording()), acts) for _ in range(4)] == [
        "> Hallo.",
        "> Hallo.\n\n_German_",
        "> Hallo.",
        "> Hallo.\n\n_English_",
    ]


def test_doubtful_words_have_a_mark_one_for_all_in_a_row() -> None:
    clear, unclear = transcript("We meet", sure=0.9), transcript("in Bad Ischl", sure=0.2)
    assert text_of([whole(clear, unclear)]) == "We meet in Bad Ischl (?)"


async def test_buttons_are_there_for_what_can_be_done() -> None:
    acts = said("Hello.")
    assert await labels(acts) == ["Timestamps", "Files"]
    acts = scripted(transcript("Hallo.", language="de"), transcript("Hallo.", language="de"))
    acts.served = ["smollm2-135m-instruct", "whisper-large-v3-turbo"]
    assert await labels(acts) == ["Timestamps", "Files"], "that one does not translate"
    acts.served.append("whisper-base")
    assert await labels(acts) == ["English", "Timestamps", "Files"]
    acts = said("Hello.")
    acts.served = ["smollm2-135m-instruct", LARGE]
    assert await labels(acts) == ["Summary", "Translate", "Timestamps", "Files"]
    assert await labels(scripted(transcript())) == []


async def test_a_summary_is_written_by_the_largest_model() -> None:
    acts: ScriptedActs = scripted(transcript("Hello."), answer("A greeting."))
    acts.served = ["smollm2-135m-instruct", LARGE]
    assert (await clicked(acts, "summary")).text == "A greeting."
    job = acts.jobs[-1]
    assert isinstance(job, Generate)
    assert (job.model, job.turns[-1].text) == (LARGE, "Hello.")


async def test_of_a_long_text_the_parts_are_summed_up_first() -> None:
    script: list[Scripted] = [transcript("Word. " * 1500), *(answer("Part.") for _ in range(6))]
    acts = scripted(*script)
    acts.served = [LARGE]
    await clicked(acts, "summary")
    assert [job.turns[-1].text for job in acts.jobs if isinstance(job, Generate)][-1] == "\n".join(["Part."] * (len(acts.jobs) - 2))


async def test_a_translation_asks_for_the_language_and_is_made_by_a_chat_model() -> None:
    acts = scripted(transcript("Hello."))
    acts.served = [LARGE]
    asking = await clicked(acts, "translate")
    assert asking.private
    assert [button.label for button in asking.buttons if isinstance(button, Button)][:3] == ["English", "Spanish", "French"]
    acts.script = [transcript("Hello."), answer("Bonjour.")]
    assert (await clicked(acts, "into")).text == "Bonjour."
    acts.served, acts.script = [], [transcript("Hello.")]
    with pytest.raises(UserError, match="No chat model that is large enough"):
        await clicked(acts, "into")


async def test_summing_up_comes_to_an_end_also_with_a_model_that_says_everything_again() -> None:
    acts = scripted(transcript("Word. " * 1500), *(answer("Word. " * 2 * PIECE) for _ in range(20)))
    acts.served = [LARGE]
    await clicked(acts, "summary")
    *parts, last = [job.max_tokens for job in acts.jobs if isinstance(job, Generate)]
    assert set(parts) == {SHORT} and last == 2 * PIECE


async def test_a_whisper_that_can_translates_into_english() -> None:
    acts = scripted(transcript("你好。", language="zh"), transcript("Hello.", "It is late.", language="zh"))
    acts.served = ["whisper-large-v3-turbo", "whisper-base"]
    assert (await clicked(acts, "english")).text == "Hello. It is late."
    assert [(job.translate, job.model) for job in asked(acts)] == [(False, None), (True, "whisper-base")]
    acts.served, acts.script = ["whisper-large-v3-turbo"], [transcript("Hallo.", language="de")]
    with pytest.raises(UserError, match="No model that translates speech into English is here now"):
        await clicked(acts, "english")


async def test_a_model_is_told_the_chats_last_note_where_none_is_pointed_at() -> None:
    acts = said("Hello.")
    [tool] = plugin().register_tools()
    with pytest.raises(UserError, match="There is no recording"):
        await tool.handler(context(sent(), acts), NoArgs())
    await outcome(sent(recording()), acts)
    assert await tool.handler(context(sent(), acts), NoArgs()) == "Hello."
    assert len(asked(acts)) == 1, "it was written down already"


async def test_times_are_a_line_for_each_segment() -> None:
    assert (await clicked(said("One.", "Two."), "timestamps")).text == "`0:00` One.\n`0:02` Two."


async def test_files_come_in_every_format_also_when_the_text_is_not_kept_any_more() -> None:
    acts = scripted(transcript("Hello."), transcript("Hello."))
    await outcome(sent(recording()), acts)
    acts.files.clear()
    reply = await plugin()._after.files(context(sent(), acts), Note(message="m1", sender=ALICE, sounds=(recording(),)))
    assert [part.source.name for part in reply.parts if isinstance(part, File)] == [
        "transcript.txt",
        "transcript.srt",
        "transcript.vtt",
        "transcript.json",
    ]
    assert json.loads(acts.files[reply.parts[-1].source.id])["segments"][0]["words"][0]["probability"] == 0.9  # type: ignore[union-attr]


async def test_what_an_older_release_kept_is_heard_again() -> None:
    acts = scripted(transcript("Hello."), transcript("Hello again."))
    await outcome(sent(recording()), acts)
    note = Note.model_validate_json(acts.stored["chat", "note:m1"])
    assert note.text is not None
    acts.files[note.text.id] = b'[{"language": "en", "seconds": 10.0, "segments": [], "model": "whisper-base"}]'
    assert (await plugin()._after.timestamps(context(sent(), acts), note)).text == "`0:00` Hello again."


def test_subtitles_fit_a_screen_and_their_times_increase() -> None:
    long = whole(transcript("word " * 40, "--> <b>", "end"))
    made = list(formats.subtitles(long))
    assert all(len(one.text) <= formats.LONGEST_LINE for one in made)
    assert all(one.start < one.end for one in made)
    assert all(before.end <= after.start for before, after in pairwise(made))
    assert "→ &lt;b>" in formats.srt(long)


@pytest.mark.parametrize("format", ["vtt", "srt"])
def test_another_library_reads_the_subtitles(format: str) -> None:
    odd = transcript("word " * 40, "--> <b>", "two\n\nparagraphs", "1", "end", seconds=4000.0)
    late = whole(odd.model_copy(update={"segments": (*odd.segments, Segment(start=3723.5, end=3725.0, text="After an hour."))}))
    found = cues(formats.ALL[format][1](late), format)
    check_times(found, late.seconds)
    assert " ".join(text for *_, text in found).replace("&lt;", "<") == f"{'word ' * 40}→ <b> two paragraphs 1 end After an hour."
    assert found[-1][:2] == (3723.5, 3725.0)


def test_chinese_comes_in_the_characters_that_a_server_wants() -> None:
    heard = transcript("我們去公園散步", language="zh")
    assert in_script(heard, "simplified").text == "我们去公园散步"
    assert in_script(in_script(heard, "simplified"), "traditional").text == "我們去公園散步"
    assert in_script(heard, "heard") == heard
    assert in_script(transcript("公園", language="ja"), "simplified").text == "公園"


@pytest.mark.parametrize(
    ("text", "likely", "silent", "density", "invented"),
    [
        ("Thanks for watching!", -0.7, 0.1, 0.8, True),
        ("Thanks for watching!", -0.2, 0.6, 0.8, True),
        ("Thanks for watching!", -0.2, 0.05, 0.8, False),
        ("Untertitel der Amara.org-Community", -0.1, 0.0, 0.8, True),
        ("ha ha ha ha ha ha ha ha", -0.1, 0.0, 3.0, True),
        ("I watched the film and thanks to you I liked it.", -0.9, 0.3, 0.8, False),
    ],
)
def test_what_nobody_said_is_left_out(text: str, likely: float, silent: float, density: float, invented: bool) -> None:
    assert phantom(text, likely, silent, density) == invented


@pytest.mark.parametrize(
    ("text", "called"),
    [("Hey Hobnob!", True), ("hob nob, come", True), ("the hob is hot", False), ("小助手你好", True)],
)
def test_a_name_is_heard_as_whisper_may_spell_it(text: str, called: bool) -> None:
    assert calls(text, ("Hobnob", "小助手")) is called


def test_pieces_are_whole_and_small_enough() -> None:
    text = "This is a sentence. " * 400
    assert "".join(pieces(text)) == text
    assert max(len(piece) for piece in pieces(text)) < PIECE * 4


def test_a_transcript_is_plain_in_scripts_without_spaces() -> None:
    assert text_of([whole(transcript("你好", "再见", language="zh"))]) == "你好再见"
