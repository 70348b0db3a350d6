"""The starter draws what it is asked for: its committed weights, run as the worker runs them, and pictures read from their pixels."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

import plugins.imagine.starter
from tools.train_starter.models import WORDS
from tools.train_starter.scenes import kept_out, unseen
from tools.train_starter.scores import Scores, compared, draw

FOLDER = Path(plugins.imagine.starter.__file__).with_name("flux")
SEED = 23
"""Not the one that the scores during the training are from."""


@pytest.fixture(scope="module")
def pipe() -> FluxPipeline:
    made = FluxPipeline.from_pretrained(FOLDER, dtype=torch.float32, local_files_only=True)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def scores(pipe: FluxPipeline) -> Scores:
    asked = list(islice(unseen(SEED), 160))
    assert all(kept_out(scene) for scene in asked)
    return compared(asked, draw(pipe, asked, SEED))


def test_its_parts_are_those_of_the_large_model(pipe: FluxPipeline) -> None:
    parts = (pipe.transformer, pipe.vae, pipe.text_encoder, pipe.text_encoder_2, pipe.tokenizer, pipe.tokenizer_2, pipe.scheduler)
    kinds = (
        FluxTransformer2DModel,
        AutoencoderKL,
        CLIPTextModel,
        T5EncoderModel,
        CLIPTokenizer,
        T5Tokenizer,
        FlowMatchEulerDiscreteScheduler,
    )
    assert all(isinstance(part, kind) for part, kind in zip(parts, kinds, strict=True))
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    assert sum(file.stat().st_size for file in files) <= 25_000_000


def test_combinations_that_it_never_saw_are_drawn(scores: Scores) -> None:
    assert scores.right["colour, shape and place"] >= 0.95, scores
    assert scores.right["colour and place"] >= 0.95, scores


def test_things_can_be_told_from_each_other(scores: Scores) -> None:
    assert scores.right["things"] >= 0.85, scores


def test_two_things_stand_as_they_were_asked_to(scores: Scores) -> None:
    assert scores.right["relations"] >= 0.95, scores
    assert scores.right["backgrounds"] >= 0.95, scores


def test_each_word_is_one_token_and_other_words_fall_apart(pipe: FluxPipeline) -> None:
    for tokenizer in (pipe.tokenizer, pipe.tokenizer_2):
        assert all(len(tokenizer.tokenize(word)) == 1 for word in WORDS)
        assert len(tokenizer.tokenize("zebra")) > 1
