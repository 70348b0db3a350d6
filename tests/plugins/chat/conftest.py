"""Models loaded once, in float32 where a batch and `generate` have to agree to the token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import ChatFacts
from plugins.chat.engine import Engine
from plugins.chat.speaker import Speaker, Speakers

STARTER = "smollm2-135m-instruct"


@pytest.fixture(scope="session")
def starter(models_dir: Path) -> Path:
    return models_dir / STARTER


@pytest.fixture(scope="session")
def tokenizer(starter: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(starter, local_files_only=True)


@pytest.fixture(scope="session")
def engine(tokenizer: Any) -> Engine:
    """A tiny model with random weights: what it says is noise, but no two prompts give the same."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)  # two threads that wait for each other are slower as soon as a core has other work
    torch.manual_seed(0)
    sizes: Any = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, initializer_range=0.5, **sizes)
    model: Any = LlamaForCausalLM(config)
    return made("tiny", model.float().eval(), tokenizer)


@pytest.fixture(scope="session")
def starter_engine(starter: Path, tokenizer: Any) -> Engine:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    model: Any = AutoModelForCausalLM.from_pretrained(starter, dtype=torch.float32, local_files_only=True)
    return made(STARTER, model.eval(), tokenizer)


def made(name: str, model: Any, tokenizer: Any, chat: ChatFacts | None = None) -> Engine:
    """The batched engine for up to eight answers."""
    return Engine(model, Speakers([Speaker(name, model, tokenizer, context=1024, chat=chat)]), max_batch=8)
