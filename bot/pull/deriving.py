"""A repository of a model hub becomes an entry of the catalogue: its facts from its own files, before any weights are brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from bot.catalogue import Catalogue
from bot.errors import PullError
from bot.origins import Hub
from bot.pull.hub import Info, look
from bot.pull.steps import Access

WINDOWS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
"""How configurations call the tokens that a model reads at most."""

UNKNOWN_WINDOW = 2048
"""Tokens, where none of them is there: what models with ALiBi were trained with."""


def derive(repo: str, access: Access, revision: str = "main", *, known: Catalogue, base: str = "") -> dict[str, Any]:
    """The facts of an entry, pinned to the commit. An adapter lies on the `base` of the catalogue, by default the one that it names.

    Raises PullError for a repository that is gated, missing, writes no text, or holds an adapter whose base is not known.
    """
    info, files = look(Hub(type="hub", repo=repo, revision=revision), access)
    told = f"{repo}, added by hand"
    facts: dict[str, Any] = {"summary": told, "kind": "chat", "licence": _licence(info), "disk": _disk(info)}
    facts |= {"languages": _languages(info)} if _languages(info) else {}
    facts |= {"gated": True} if info.gated else {}
    source = {"type": "hub", "repo": repo, "revision": info.sha}
    if "adapter_config.json" in files:
        beneath = _base(repo, _json(repo, files, "adapter_config.json"), known, base)
        tuned = {"chat": {"tuned": True}} if _template(repo, files) else {}
        return {**facts, "base": beneath, "source": source, **tuned}
    if base:
        raise PullError(f"{repo}: expected an adapter, which `--on {base}` is for, found a model without adapter_config.json")
    return {**facts, "source": source, "chat": chat_facts(repo, info, _json(repo, files, "config.json"), _template(repo, files))}


def _base(repo: str, config: Mapping[str, Any], known: Catalogue, base: str) -> str:
    """The name of the model that an adapter lies on."""
    if (kind := config.get("peft_type")) != "LORA":
        raise PullError(f"{repo}: expected a LoRA adapter, found one of the kind {kind!r}, which cannot be served")
    named = str(config.get("base_model_name_or_path") or "")
    found = [
        entry.name
        for entry in known.models.values()
        if isinstance(entry.source, Hub) and _bare(entry.source.repo) == _bare(named) and not entry.base
    ]
    if base:
        (entry,) = known.find([base])
        if entry.base or not entry.chat or (found and entry.name not in found):
            raise PullError(f"{repo} is an adapter for {named}, which is {' or '.join(found) or 'a chat model'} here and not {base}")
        return entry.name
    if not found:
        raise PullError(
            f"{repo} is an adapter for {named or 'a model that it does not name'}, which is not in the catalogue: "
            "`hobnob models add` that first, or say which model it is with `--on NAME`"
        )
    return found[0]


def _bare(repo: str) -> str:
    """For comparing: the hub ignores case, and Meta's first repositories of Llama 3.1 were renamed."""
    return repo.lower().replace("/meta-llama-", "/llama-")


def _template(repo: str, files: Mapping[str, bytes]) -> bool:
    return "chat_template.jinja" in files or bool(_json(repo, files, "tokenizer_config.json").get("chat_template"))


def chat_facts(repo: str, info: Info, config: Mapping[str, Any], template: bool) -> dict[str, Any]:
    """What the configuration of a model says of it; a model without a `template` is a base model. Raises PullError."""
    architecture = next(iter(config.get("architectures") or ()), "none")
    if not architecture.endswith(("ForCausalLM", "LMHeadModel")):
        raise PullError(f"{repo}: expected a model that continues text, found {architecture} in its config.json")
    vocabulary, width = _number(config, "vocab_size"), _number(config, "hidden_size", "n_embd", "d_model")
    heads = _number(config, "num_attention_heads", "n_head", "n_heads")
    layers = _number(config, "num_hidden_layers", "n_layer", "n_layers")
    kept = _kept(config, architecture, heads)
    size = _number(config, "head_dim") or (width // heads if heads else 0)
    if not (vocabulary and width and heads and layers):
        raise PullError(f"{repo}: its config.json does not say how large the model is, so its memory cannot be foretold")
    tied = config.get("tie_word_embeddings", architecture.startswith(("Bloom", "Gemma", "GPT2")))
    return {
        "architecture": architecture,
        "parameters": (info.weights.total if info.weights else 0) or _disk(info) // 2,
        "embedding": vocabulary * width * (1 if tied else 2),
        "cache": 2 * layers * kept * size,
        "context": _number(config, *WINDOWS) or UNKNOWN_WINDOW,
        "tuned": template,
    }


def _kept(config: Mapping[str, Any], architecture: str, heads: int) -> int:
    """Heads whose keys and values are cached. transformers repeats those of Falcon-40B, and keeps one of Falcon-7B, whatever it says."""
    if architecture == "FalconForCausalLM":
        return 1 if config.get("multi_query", True) and not config.get("new_decoder_architecture") else heads
    return _number(config, "num_key_value_heads", "num_kv_heads") or heads


def _number(config: Mapping[str, Any], *names: str) -> int:
    """The first of these that is there, else 0."""
    return next((value for name in names if isinstance(value := config.get(name), int) and value > 0), 0)


def _json(repo: str, files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        read = json.loads(files.get(name, b"{}"))
    except ValueError as error:
        raise PullError(f"{repo}: its {name} is no JSON: {error}") from error
    return read if isinstance(read, dict) else {}


def _licence(info: Info) -> str:
    named = info.card.license if info.card else None
    return (named[0] if isinstance(named, list) and named else named if isinstance(named, str) else "") or "unknown"


def _languages(info: Info) -> list[str]:
    named = info.card.language if info.card else None
    return named if isinstance(named, list) else [named] if named else []


def _disk(info: Info) -> int:
    """Bytes of the weights, with a little for what lies beside them."""
    weights = sum(file.size or 0 for file in info.siblings if PurePosixPath(file.path).match("*.safetensors") and "/" not in file.path)
    return weights + 20_000_000
