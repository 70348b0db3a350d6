"""What people read while they wait."""

from __future__ import annotations

import pytest

from bot.jobs import Preview, Progress
from bot.messages import Blob
from bot.router.status import Meanwhile, roughly, waiting
from bot.store.queue import Running, Shown


@pytest.mark.parametrize(
    ("ahead", "seconds", "text"),
    [
        (0, None, "You are next."),
        (0, 0.2, "You are next."),
        (0, 4.0, "You are next, a few seconds."),
        (3, None, "Waiting: 3 ahead of you."),
        (3, 38.0, "Waiting: 3 ahead of you, about 40 seconds."),
        (12, 130.0, "Waiting: 12 ahead of you, about 2 minutes."),
    ],
)
def test_a_place_is_a_sentence(ahead: int, seconds: float | None, text: str) -> None:
    assert waiting(ahead, seconds) == text


def test_loading_and_progress_are_sentences() -> None:
    now, line = [0.0], Meanwhile(lambda: now[0])
    assert line.of(Running(loading=0.0)).text == "Loading the model."
    assert line.of(Running(loading=21.0)).text == "Loading the model, about 20 seconds."
    assert line.of(Running()).text == "…"
    assert line.of(Shown(Progress(done=1, total=9, unit="steps"))).text == "1 of 9 steps."
    now[0] = 10.0
    assert line.of(Shown(Progress(done=3, total=9, unit="steps"))).text == "3 of 9 steps, about 30 seconds left."
    assert line.of(Shown(Progress(done=7, total=0, unit="segments"))).text == "7 segments so far."
    line.of(Shown(Preview(image=Blob("b", "image/png", 1))))
    assert [part.kind for part in line.of(Shown(Progress(done=9, total=9, unit="steps"))).parts] == ["text", "image"]
    assert [part.kind for part in line.of(Running()).parts] == ["text"], "a job that begins anew has no picture yet"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (9.9, "a few seconds"), (10.0, "about 10 seconds"), (54.0, "about 50 seconds"), (58.0, "about 1 minute"),
        (89.0, "about 1 minute"), (100.0, "about 2 minutes"), (3299.0, "about 55 minutes"), (3400.0, "about 1 hour"),
        (7300.0, "about 2 hours"),
    ],
)  # fmt: skip
def test_nothing_is_said_more_exactly_than_it_is_known(seconds: float, words: str) -> None:
    assert roughly(seconds) == words
