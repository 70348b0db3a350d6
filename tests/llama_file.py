"""A Llama in one file of llama.cpp's, as its own converter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

FULL = gguf.GGMLQuantizationType.F32


def write(file: Path, model: Any, words: Any, kind: gguf.GGMLQuantizationType, *, pre: str = "gpt-2") -> Path:
    """Its weights with its words and its template; `pre` is what llama.cpp calls the way in which its tokenizer splits text."""
    writer = gguf.GGUFWriter(file, "llama")
    _describe(writer, model.config, words, pre)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        stored = kind if weight.ndim == 2 else FULL
        place = names.get_name(name, try_suffixes=(".weight",))
        if not (name == "lm_head.weight" and model.config.tie_word_embeddings):
            writer.add_tensor(f"{place}", gguf.quantize(_turned(name, weight.float().numpy(), model.config), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _describe(writer: gguf.GGUFWriter, config: Any, words: Any, pre: str) -> None:
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
    writer.add_tokenizer_pre(pre)
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
