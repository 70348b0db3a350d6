"""A model in one file of llama.cpp's writes what the same weights in safetensors write. The files are made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from plugins.chat.engine import Engine
from plugins.chat.loading import loaded
from plugins.chat.precision import numbers
from tests.plugins.chat.arrivals import Request, alone, generate, ran
from tests.plugins.chat.conftest import made
from tests.plugins.chat.families import tokenizer

FULL, EIGHT = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q8_0

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


def engine(folder: Path) -> Engine:
    """What a worker loads from the folder."""
    return made("tiny", *loaded(folder, "cpu", None, numbers("float32", "cpu")))


def write(folder: Path, original: Engine, kind: gguf.GGMLQuantizationType) -> Path:
    """The weights of a model as llama.cpp's own converter writes them, with its words and its template."""
    model, words = original.model, original.speakers.first._tokenizer
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
    _describe(writer, model.config, words)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        stored = kind if weight.ndim == 2 else FULL
        place = names.get_name(name, try_suffixes=(".weight",))
        writer.add_tensor(f"{place}", gguf.quantize(_turned(name, weight.numpy(), model.config), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def _describe(writer: gguf.GGUFWriter, config: Any, words: Any) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    tokens = sorted(words.get_vocab(), key=words.get_vocab().get)
    control = set(words.all_special_tokens) | {str(token) for token in words.added_tokens_decoder.values()}
    merges = json.loads(words.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in control else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(words.bos_token_id)
    writer.add_eos_token_id(words.eos_token_id)
    writer.add_chat_template(words.chat_template)


def _turned(name: str, weight: np.ndarray[Any, Any], config: Any) -> np.ndarray[Any, Any]:
    """llama.cpp's rotary embedding has the two halves of each head interleaved."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for part, count in heads.items():
        if part in name:
            rows, columns = weight.shape
            return weight.reshape(count, 2, rows // count // 2, columns).swapaxes(1, 2).reshape(weight.shape)
    return weight


def test_it_writes_the_same_tokens(original: Engine, tmp_path: Path) -> None:
    unpacked = engine(write(tmp_path, original, FULL))
    requests = [Request(generate(question, max_tokens=12)) for question in QUESTIONS]
    answers = ran(unpacked, *requests)
    assert [(one.text, one.tokens) for one in answers] == [alone(original, one) for one in requests]


def test_what_is_stored_in_fewer_bits_says_nearly_the_same(original: Engine, tmp_path: Path) -> None:
    unpacked = engine(write(tmp_path, original, EIGHT))
    ids = torch.tensor([original.speakers.first.encode(generate(QUESTIONS[1])).tokens])
    with torch.inference_mode():
        same = torch.cosine_similarity(unpacked.model(input_ids=ids).logits, original.model(input_ids=ids).logits, dim=-1)
    assert float(same.min()) > 0.95  # a small model with large weights; a wrong order of rows gives 0.3
    assert (tmp_path / "tiny.gguf").stat().st_size < 0.7 * original.model.get_memory_footprint()


def test_fewer_bits_of_fewer_bits_are_refused(original: Engine, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"are in fewer bits already: take `precision` out"):
        loaded(write(tmp_path, original, EIGHT), "cpu", None, numbers("int8", "cpu"))
