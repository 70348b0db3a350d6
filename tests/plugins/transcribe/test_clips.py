"""Which clips are read together: those of a length, the shortest first, and nobody waits for ever."""

from __future__ import annotations

import numpy as np

from plugins.transcribe.clips import PATIENCE, Clip, following
from plugins.transcribe.windows import Window
from tests.plugins.transcribe.notes import note


def clip(seconds: float, *, doubt: str = "", hints: str = "") -> Clip:
    asked = note(b"", hints=hints)
    window = Window(np.zeros((80, round(seconds * 100)), np.float32), [], asked.job, 200, doubt=doubt)
    return Clip(asked, np.zeros(round(seconds * 16_000), np.float32), [], window)


def too_long() -> Clip:
    return Clip(note(b""), np.zeros(16_000, np.float32), [], None)


def test_the_shortest_come_first_with_others_of_about_their_length() -> None:
    clips = [clip(seconds) for seconds in (20, 5, 9, 3, 4)]
    assert {one.seconds for one in following(clips, 8)} == {3, 4, 5}
    assert {one.seconds for one in following(clips, 2)} == {3, 4}


def test_what_is_doubtful_or_too_long_waits_for_what_is_quick() -> None:
    doubtful, long, quick = [clip(3, doubt="loop"), clip(9, doubt="dense")], too_long(), clip(20)
    clips = [*doubtful, long, quick]
    assert following(clips, 8) == [quick]
    clips.remove(quick)
    assert following(clips, 8) == doubtful, "in full windows all are of a length"
    assert following([long, too_long()], 8) == [long], "the library reads one at a time"


def test_other_words_to_expect_are_another_batch() -> None:
    clips = [clip(3, hints="Hobnob"), clip(3), clip(3, hints="Hobnob")]
    assert following(clips, 8) == [clips[0], clips[2]]


def test_a_long_one_is_passed_over_so_many_times_and_no_more() -> None:
    long = clip(25)
    for _ in range(PATIENCE):
        assert long not in following([long, *(clip(3) for _ in range(8))], 8)
    assert following([long, *(clip(3) for _ in range(8))], 8) == [long]
