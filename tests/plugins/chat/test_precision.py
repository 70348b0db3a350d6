"""Which numbers a model computes with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch

from bot import ChatFacts
from bot.pull.deriving import chat_facts
from bot.pull.hub import Info
from bot.pull.hub import Weights as Counted
from plugins.chat.config import Running
from plugins.chat.loading import loaded
from plugins.chat.precision import Weights, half, numbers, precision
from tests.plugins.chat.families import tokenizer


@pytest.mark.parametrize(
    ("bfloat16", "float16", "expected"), [(True, False, torch.bfloat16), (False, True, torch.float16), (False, False, torch.float32)]
)
def test_a_gpu_without_bfloat16_takes_float16_unless_the_model_outgrows_it(bfloat16: bool, float16: bool, expected: torch.dtype) -> None:
    assert half(bfloat16=bfloat16, float16=float16) == expected


@pytest.mark.alone
def test_a_cpu_computes_in_what_is_clearly_quicker_on_it() -> None:
    chosen = precision("cpu")
    other = ({torch.bfloat16, torch.float32} - {chosen}).pop()
    assert seconds(chosen) < 2 * seconds(other)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama whose layers are wide enough to be quantised as large ones are."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    path, words = tmp_path_factory.mktemp("models"), tokenizer("llama-3.1-8b-instruct")
    sizes: Any = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 2, "num_attention_heads": 4}
    model: Any = LlamaForCausalLM(LlamaConfig(vocab_size=len(words), **sizes))
    model.save_pretrained(path)
    words.save_pretrained(path)
    return path


@pytest.mark.parametrize(("weights", "close"), [("bfloat16", 0.999), ("int8", 0.99), ("int4", 0.95)])
def test_fewer_bits_take_the_memory_that_was_foretold_and_say_nearly_the_same(folder: Path, weights: Weights, close: float) -> None:
    exact, _ = loaded(folder, "cpu", None, numbers("float32", "cpu"))
    model, _ = loaded(folder, "cpu", None, numbers(weights, "cpu"))
    told = chat_facts("small", Info(sha="", safetensors=Counted(total=exact.num_parameters())), exact.config.to_dict(), True)
    facts = ChatFacts.model_validate(told)
    assert model.get_memory_footprint() == pytest.approx(facts.weights(weights), rel=0.1)
    with torch.inference_mode():
        ids = torch.arange(5, 45)[None]
        same = torch.cosine_similarity(model(input_ids=ids).logits.float(), exact(input_ids=ids).logits, dim=-1)
    assert float(same.min()) > close


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch's compiler imports what torch deprecates
def test_it_is_compiled_where_that_is_asked_for(folder: Path) -> None:
    """Compiling two layers takes most of a minute, so only that it would begin at the first answer."""
    made = [loaded(folder, "cpu", None, numbers("float32", "cpu"), Running(compile=wanted))[0] for wanted in (False, True)]
    assert [one._compiled_call_impl is not None for one in made] == [False, True]


@pytest.mark.parametrize(("device", "said"), [("mps", "are for CPUs and for CUDA, found mps")])
def test_fewer_bits_where_they_cannot_be_had_are_refused(device: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        numbers("int4", device)


def test_two_files_of_llama_cpp_are_one_too_many(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"expected one \.gguf file in .*, found 2"):
        loaded(tmp_path, "cpu", None, numbers("float32", "cpu"))


def seconds(dtype: torch.dtype) -> float:
    left, right = torch.ones((64, 576), dtype=dtype), torch.ones((1536, 576), dtype=dtype)
    torch.set_num_threads(1)
    times = []
    for _ in range(10):
        start = time.thread_time()
        torch.nn.functional.linear(left, right)
        times.append(time.thread_time() - start)
    return min(times)
