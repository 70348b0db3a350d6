"""A little at a time, Whisper says the same, and takes as much memory for eight notes as for three."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest

from plugins.transcribe.engine import Engine, samples
from plugins.transcribe.sound import FULL
from plugins.transcribe.sparing import Sparing, parted, view

AUDIO = Path(__file__).parents[2] / "data" / "audio"

START = (50258, 50259, 50359, 50363)
"""A transcript in English without times, for Whisper base."""


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> Engine:
    return Engine(str(models_dir / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True)


@pytest.fixture(scope="module")
def features(engine: Engine) -> np.ndarray:
    """Five full windows that differ."""
    sound = samples((AUDIO / "jfk.wav").read_bytes())
    made = np.zeros((5, 80, FULL), np.float32)
    for row, window in enumerate(made):
        heard = engine.feature_extractor(sound[row * 8000 :])[:, :FULL]
        window[:, : heard.shape[1]] = heard
    return made


def test_pieces_are_of_about_a_size_and_leave_nothing_out() -> None:
    assert [list(one) for one in parted(8, 3)] == [[0, 1], [2, 3, 4], [5, 6, 7]]
    assert [list(one) for one in parted(2, 0)] == [[0], [1]]


def test_each_text_is_what_the_network_says_of_all_together(engine: Engine, features: np.ndarray) -> None:
    bare = engine.model._model
    assert isinstance(engine.model, Sparing) and isinstance(bare, ctranslate2.models.Whisper)
    together, apart = bare.encode(view(features)), engine.model.encode(view(features))
    np.testing.assert_allclose(np.asarray(apart), np.asarray(together), atol=0.05)
    prompts, how = [list(START)] * len(features), {"beam_size": 5, "return_scores": True, "max_length": 100}
    expected = bare.generate(together, prompts, **how)
    found = engine.model.generate(together, prompts, **how)
    assert [one.sequences_ids[0] for one in found] == [one.sequences_ids[0] for one in expected]
    texts = [[token for token in one.sequences_ids[0] if token < engine.hf_tokenizer.token_to_id("<|endoftext|>")] for one in found]
    expected_times, times = (model.align(together, START, texts, [FULL] * len(texts)) for model in (bare, engine.model))
    for one, other in zip(expected_times, times, strict=True):
        np.testing.assert_allclose(_starts(other), _starts(one), atol=3)  # 60 ms: numbers of 8 bits are rounded by what lies beside them


def _starts(aligned: Any) -> list[int]:
    """The moment, of 20 ms, at which each token begins."""
    starts = dict(reversed(aligned.alignments))
    return [starts[token] for token in sorted(starts)]


def test_of_tries_by_chance_the_likeliest_comes_first(engine: Engine, features: np.ndarray) -> None:
    class Tried:
        """The network, and how many tries it was asked for at once."""

        def __init__(self) -> None:
            self.asked: list[tuple[int, int]] = []
            self.scores: list[float] = []

        def generate(
            self, encoded: ctranslate2.StorageView, prompts: list[list[int]], *, num_hypotheses: int, **how: object
        ) -> list[object]:
            self.asked.append((encoded.shape[0], num_hypotheses))
            results = engine.model._model.generate(encoded, prompts, num_hypotheses=num_hypotheses, **how)
            self.scores += [one.scores[0] for one in results]
            return list(results)

    tried = Tried()
    encoded = engine.model.encode(view(features[:1]))
    how = {"sampling_topk": 0, "sampling_temperature": 1.0, "return_scores": True, "max_length": 60}
    [found] = Sparing(tried).generate(encoded, [list(START)], num_hypotheses=5, beam_size=1, **how)
    assert tried.asked == [(1, 1), (1, 2), (1, 2)]
    assert found.scores[0] == max(tried.scores)
