"""A recording is heard clip by clip, a few at a time, and grows in the chat. Whisper is scripted."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import TypeVar

import pytest

from bot import Audio, Blob, Clip, Job, Progress, Result, Segment, TextSoFar, Transcribe, Transcript, UserError, Word
from bot.acts import Show
from bot.testing import ScriptedActs
from plugins.transcribe.listening import Listening, Wish
from plugins.transcribe.transcripts import plain
from plugins.transcribe.writing import BEGINNING
from tests.plugins.transcribe.people import asked, context, cut, outcome, recording, scripted, sent, transcript, whole, written

R = TypeVar("R", bound=Result)


async def test_the_text_grows_in_the_chat_while_it_is_heard() -> None:
    acts = scripted(
        (Progress(done=1, total=2, unit="windows"), TextSoFar(text="Good"), TextSoFar(text="Good morning."), transcript("Good morning."))
    )
    await written(sent(recording()), acts)
    assert [reply.text for reply in acts.shown] == ["> Good …", "> Good morning. …"]
    assert all(reply.silent for reply in acts.shown)


async def test_of_a_long_recording_is_said_how_far_it_is_and_how_long_it_takes() -> None:
    acts, moments = ScriptedActs(*((TextSoFar(text=f"{n}."), transcript(f"{n}.", seconds=25.0)) for n in range(4))), iter(range(0, 999, 60))
    acts.cut["v"] = cut(25.0, 25.0, 25.0, 25.0)
    heard = await Listening(context(sent(), acts), recording(seconds=100.0), Wish(900.0), lambda: float(next(moments))).transcript()
    assert plain(heard.segments, "en") == "0. 1. 2. 3."
    assert [reply.text for reply in acts.shown] == [
        "> 0.\n\n_0:25 of 1:40, about 3 minutes left …_",
        "> 0. 1.\n\n_0:50 of 1:40, about 2 minutes left …_",
        "> 0. 1. 2.\n\n_1:15 of 1:40, about 1 minute left …_",
        "> 0. 1. 2. 3.\n\n_1:40 …_".replace("1:40 …", "1:40 of 1:40 …"),
    ]


async def test_what_nobody_is_to_see_is_not_shown() -> None:
    acts = scripted((TextSoFar(text="Good"), transcript("Good morning.")))
    await Listening(context(sent(), acts), recording(), Wish(900.0, unseen=True)).transcript()
    assert acts.shown == []


async def test_a_long_recording_has_a_paragraph_a_minute() -> None:
    acts = scripted(*(transcript(word, seconds=30.0) for word in ("One.", "Two.", "Three.", "Four.")), clips=cut(30.0, 30.0, 30.0, 30.0))
    assert await written(sent(recording()), acts) == "> One. Two.\n>\n> Three. Four."


def test_times_count_from_the_start_of_the_whole_recording() -> None:
    part = Transcript(
        language="en",
        seconds=5.0,
        segments=(Segment(start=1.0, end=2.0, text="Two", words=(Word(start=1.0, end=2.0, text="Two", probability=0.9),)),),
        model="whisper-base",
    )
    both = whole(transcript("One.", seconds=60.0), part)
    first, second = both.segments
    assert [(one.start, one.end) for one in (first, second)] == [(0.0, 2.0), (61.0, 62.0)]
    assert [(word.start, word.end, word.probability) for word in second.words] == [(61.0, 62.0, 0.9)]
    assert both.seconds == 65.0


def test_the_words_of_three_hours_take_little_memory_and_are_gone_through_clip_by_clip() -> None:
    part = transcript(*("and so my fellow Americans ask not what your" for _ in range(8)), seconds=30.0)
    tracemalloc.start()
    three_hours = whole(*[part] * 360)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    count = sum(len(segment.words) for segment in three_hours.segments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 360 * 8 * 9
    assert held < 3_000_000, "as objects they take 17 MB"
    assert most - held < 300_000


async def test_what_was_heard_long_ago_is_not_in_hand_while_the_text_grows() -> None:
    acts = ScriptedActs(*((TextSoFar(text="Now."), transcript("word " * 100, seconds=30.0)) for _ in range(9)))
    acts.cut["v"] = cut(*[30.0] * 9)
    listening = Listening(context(sent(), acts), recording(seconds=270.0), Wish(900.0))
    await listening.transcript()
    assert len(listening._end) == 2 * BEGINNING
    assert all(len(reply.text) < BEGINNING + 50 for reply in acts.shown)
    assert acts.shown[-1].text.startswith("> … word word")


@pytest.mark.parametrize(("longest", "heard"), [(50, False), (60, True)])
async def test_a_recording_that_turns_out_too_long_is_refused(longest: int, heard: bool) -> None:
    acts = scripted(transcript("One."), transcript("Two."), clips=cut(30.0, 30.0))
    with nullcontext() if heard else pytest.raises(UserError, match="too long"):
        await outcome(sent(recording(seconds=3.0)), acts, longest=longest)


async def test_the_servers_language_goes_for_every_clip() -> None:
    acts = scripted(transcript("Hallo.", language="de"), transcript("Tag.", language="de"), clips=cut(30.0, 30.0))
    await written(sent(recording()), acts, language="de")
    assert [job.language for job in asked(acts)] == ["de", "de"]


async def test_a_short_rest_is_in_the_language_of_what_came_before() -> None:
    script = [transcript("Hallo.", language="de", seconds=30.0), transcript("Bonjour.", language="fr", seconds=30.0), transcript("Oui.")]
    acts = scripted(*script, clips=cut(30.0, 30.0, 4.0))
    await written(sent(recording()), acts)
    assert [job.language for job in asked(acts)] == [None, None, "fr"]


class Few(ScriptedActs):
    """Keeps as many clips as the router does, and runs a job only while its clip is kept."""

    at_hand: tuple[Blob, ...] = ()

    @asynccontextmanager
    async def clips(self, audio: Audio, longest: float, total: float, ahead: int) -> AsyncIterator[AsyncIterator[Clip]]:
        async def given() -> AsyncIterator[Clip]:
            for clip in self.cut["v"]:
                self.at_hand = (*self.at_hand[-(ahead - 1) :], clip.audio)
                yield clip

        yield given()

    async def run(self, job: Job[R], show: Show | None, quiet: bool = False) -> R:
        for _ in range(10):  # it waits in line, while others go on
            await asyncio.sleep(0)
        audio = job.audio if isinstance(job, Transcribe) else None
        assert audio in self.at_hand, "its bytes are gone before it is done"
        return await super().run(job, show, quiet)


async def test_a_clip_is_kept_until_it_was_heard_however_long_it_waits() -> None:
    acts = Few(*(transcript(f"{number}.") for number in range(6)))
    acts.cut["v"] = cut(*[30.0] * 5, 4.0)
    heard = await Listening(context(sent(), acts), recording(), Wish(900.0)).transcript()
    assert plain(heard.segments, "en") == "0. 1. 2. 3. 4. 5."


async def test_a_clip_without_speech_says_nothing_about_the_language() -> None:
    acts = scripted(transcript("Hallo.", language="de"), transcript(language="ja"), transcript("Ja."), clips=cut(30.0, 30.0, 4.0))
    await written(sent(recording()), acts)
    assert asked(acts)[-1].language == "de"
