"""The catalogue's facts about the families, held against the models themselves at their full size, without their weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bot.catalogue import load

LLAMA = {"vocab_size": 128_256, "num_key_value_heads": 8}
SHAPES: dict[str, dict[str, int]] = {
    "llama-3.1-8b": {**LLAMA, "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32},
    "llama-3.1-70b": {**LLAMA, "hidden_size": 8192, "intermediate_size": 28_672, "num_hidden_layers": 80, "num_attention_heads": 64},
    "llama-3.1-405b": {**LLAMA, "hidden_size": 16_384, "intermediate_size": 53_248, "num_hidden_layers": 126, "num_attention_heads": 128},
    "bloom-560m": {"vocab_size": 250_880, "hidden_size": 1024, "n_layer": 24, "n_head": 16},
    "bloom-1b1": {"vocab_size": 250_880, "hidden_size": 1536, "n_layer": 24, "n_head": 16},
    "bloom-1b7": {"vocab_size": 250_880, "hidden_size": 2048, "n_layer": 24, "n_head": 16},
    "bloom-3b": {"vocab_size": 250_880, "hidden_size": 2560, "n_layer": 30, "n_head": 32},
    "bloom-7b1": {"vocab_size": 250_880, "hidden_size": 4096, "n_layer": 30, "n_head": 32},
    "bloom-176b": {"vocab_size": 250_880, "hidden_size": 14_336, "n_layer": 70, "n_head": 112},
    "mpt-7b": {"vocab_size": 50_432, "d_model": 4096, "n_layers": 32, "n_heads": 32},
    "falcon-7b": {"vocab_size": 65_024, "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71, "multi_query": True},
    "falcon-40b": {
        **{"vocab_size": 65_024, "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8},
        **{"new_decoder_architecture": True, "tie_word_embeddings": False},
    },
    "phi-2": {"vocab_size": 51_200, "hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 32, "num_attention_heads": 32},
    "gemma-2b": {
        **{"vocab_size": 256_000, "hidden_size": 2048, "intermediate_size": 16_384, "num_hidden_layers": 18},
        **{"num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 256},
    },
    "gemma-7b": {
        **{"vocab_size": 256_000, "hidden_size": 3072, "intermediate_size": 24_576, "num_hidden_layers": 28},
        **{"num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256},
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_embedding_and_cache_are_those_of_the_model(name: str) -> None:
    import transformers

    chat = load().models[name].chat
    assert chat is not None
    native: Any = getattr(transformers, chat.architecture)
    bias = {"bias": False, "alibi": False, "parallel_attn": True} if "falcon" in name else {}
    with torch.device("meta"):
        model = native(native.config_class(**{**SHAPES[name], **bias, "num_hidden_layers": 2, "n_layer": 2, "n_layers": 2}))
    layers = next(value for key, value in SHAPES[name].items() if "layer" in key)
    embedding = {id(each.weight): each.weight.numel() for each in (model.get_input_embeddings(), model.get_output_embeddings())}
    outside = model.num_parameters() - 2 * _layer(model)
    assert outside + layers * _layer(model) == chat.parameters
    assert sum(embedding.values()) == chat.embedding
    cache = transformers.DynamicCache(config=model.config)
    with torch.device("meta"), torch.inference_mode():
        model(input_ids=torch.zeros((1, 1), dtype=torch.long), past_key_values=cache, use_cache=True)
    layer: Any = cache.layers[0]
    assert (layer.keys.numel() + layer.values.numel()) * layers == chat.cache


def _layer(model: Any) -> int:
    """Parameters of one block."""
    (blocks,) = (each for each in model.modules() if isinstance(each, torch.nn.ModuleList) and len(each) == 2)
    return sum(each.numel() for each in blocks[0].parameters())
