"""A model in one file of llama.cpp's writes what the same weights in safetensors write. The files are made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest
import torch

from plugins.chat.engine import Engine
from plugins.chat.loading import loaded
from plugins.chat.precision import numbers
from tests.llama_file import FULL, write
from tests.plugins.chat.arrivals import Request, alone, generate, ran
from tests.plugins.chat.conftest import made
from tests.plugins.chat.families import tokenizer

EIGHT = gguf.GGMLQuantizationType.Q8_0

QUESTIONS = ("Hi!", "What is the capital of France?", "Tell me a story about a cat and a dog.")


@pytest.fixture(scope="module")
def original() -> Engine:
    """A small Llama of which every row can be stored in blocks of 32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    words = tokenizer("llama-3.1-8b-instruct")
    sizes: Any = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    ends: Any = {"vocab_size": len(words), "bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    model: Any = LlamaForCausalLM(LlamaConfig(**sizes, **ends, initializer_range=0.3))
    return made("tiny", model.float().eval(), words)


def engine(folder: Path, original: Engine, kind: gguf.GGMLQuantizationType) -> Engine:
    """What a worker loads from a folder with the same weights, stored so."""
    write(folder / "tiny.gguf", original.model, original.speakers.first._tokenizer, kind)
    return made("tiny", *loaded(folder, "cpu", None, numbers("float32", "cpu")))


def test_it_writes_the_same_tokens(original: Engine, tmp_path: Path) -> None:
    unpacked = engine(tmp_path, original, FULL)
    requests = [Request(generate(question, max_tokens=12)) for question in QUESTIONS]
    answers = ran(unpacked, *requests)
    assert [(one.text, one.tokens) for one in answers] == [alone(original, one) for one in requests]


def test_what_is_stored_in_fewer_bits_says_nearly_the_same(original: Engine, tmp_path: Path) -> None:
    unpacked = engine(tmp_path, original, EIGHT)
    ids = torch.tensor([original.speakers.first.encode(generate(QUESTIONS[1])).tokens])
    with torch.inference_mode():
        same = torch.cosine_similarity(unpacked.model(input_ids=ids).logits, original.model(input_ids=ids).logits, dim=-1)
    assert float(same.min()) > 0.95  # a small model with large weights; a wrong order of rows gives 0.3
    assert (tmp_path / "tiny.gguf").stat().st_size < 0.7 * original.model.get_memory_footprint()


def test_fewer_bits_of_fewer_bits_are_refused(original: Engine, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"are in fewer bits already: take `precision` out"):
        loaded(
            write(tmp_path / "tiny.gguf", original.model, original.speakers.first._tokenizer, EIGHT).parent,
            "cpu",
            None,
            numbers("int8", "cpu"),
        )
