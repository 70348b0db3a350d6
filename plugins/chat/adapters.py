"""LoRA adapters on a model that is loaded: put on when somebody asks for one, and taken off again. What runs with them: `engine.py`."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import torch

WEIGHTS = "adapter_model.safetensors"


class Adapters:
    """The adapters in these folders, of which `most` stay on the model while nobody uses them."""

    def __init__(self, model: Any, folders: Mapping[str, Path], most: int = 4) -> None:
        self._model = model
        self._folders = folders
        self._most = most
        self._keys: dict[str, str] = {}
        """What PEFT calls those that are on the model, the one used longest ago first; it allows no dots in a name."""
        self._numbers = count()
        self._used: str | None = ""
        largest = sorted((_size(folder) for folder in folders.values()), reverse=True)
        self.size = sum(largest[:most])
        """Bytes that they take at most while nobody uses them."""

    def __iter__(self) -> Iterator[str]:
        """Those that are on the model."""
        return iter(self._keys)

    def bring(self, name: str) -> None:
        """Has it on the model. Raises ValueError for what is no LoRA adapter of this model, with what to do."""
        if name and name not in self._keys:
            key = f"adapter_{next(self._numbers)}"
            _put(self._model, checked(name, self._folders[name]), key, name)
            self._keys[name], self._used = key, None

    def use(self, name: str) -> None:
        """From now on the model computes with this adapter, or by itself for ""."""
        if name == self._used:
            return
        self.bring(name)
        if name:
            self._keys[name] = self._keys.pop(name)
            self._model.enable_adapters()
            self._model.set_adapter(self._keys[name])
        elif self._keys:
            self._model.disable_adapters()
        self._used = name

    def trim(self, keep: Collection[str] = (), most: int | None = None) -> None:
        """Takes off those that nobody uses, but for the ones used last."""
        spare = [name for name in self._keys if name not in keep]
        for name in spare[: max(0, len(spare) - (self._most if most is None else most))]:
            _take_off(self._model, self._keys.pop(name))
            self._used = None


def checked(name: str, folder: Path) -> Path:
    """The folder. Raises ValueError for one that holds anything but a LoRA adapter in safetensors, FileNotFoundError for an empty one."""
    if not (folder / "adapter_config.json").is_file():
        raise FileNotFoundError(f"expected the adapter {name!r} in {folder}, found no adapter_config.json: run `hobnob models pull {name}`")
    if not (folder / WEIGHTS).is_file():
        raise ValueError(f"{name}: expected {WEIGHTS} in {folder}; adapters in other formats can carry code and are not loaded")
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if (kind := config.get("peft_type")) != "LORA":
        raise ValueError(f"{name}: expected a LoRA adapter in {folder}, found one of the kind {kind!r}")
    return folder


def template(folder: Path) -> str:
    """The chat template that an adapter brings, "" for none."""
    beside, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    found = json.loads(config.read_text(encoding="utf-8")).get("chat_template") if config.is_file() else ""
    return found if isinstance(found, str) else ""


def _put(model: Any, folder: Path, key: str, name: str) -> None:
    """Raises ValueError for one that was made for another model; nothing of it stays then."""
    try:
        with _as_meant():
            report = model.load_adapter(str(folder), adapter_name=key, adapter_kwargs={"local_files_only": True})
        wrong = [one for one in (*report.missing_keys, *report.unexpected_keys) if f".{key}." in one or ".adapter_" not in one]
    except torch.OutOfMemoryError:
        _take_off(model, key)
        raise
    except (ValueError, RuntimeError) as error:
        _take_off(model, key)
        said = "its weights have other shapes" if "mismatched_sizes" in str(error) else error
        raise ValueError(f"{name} does not fit the model that it lies on: {said}") from error
    if wrong:
        _take_off(model, key)
        raise ValueError(f"{name} does not fit the model that it lies on; the first of {len(wrong)} weights that differ is {wrong[0]}")
    for parameter_name, parameter in model.named_parameters():
        if f".{key}." in parameter_name:
            parameter.requires_grad_(False)
            parameter.data = parameter.data.to(model.dtype)  # PEFT trains in float32, and would compute in it


def _take_off(model: Any, key: str) -> None:
    """Also what a failed load has left."""
    with _as_meant():
        if key in getattr(model, "peft_config", {}):
            model.delete_adapter(key)
        else:
            import_module("peft.functional").delete_adapter(model, adapter_name=key, prefix="lora_")


@contextmanager
def _as_meant() -> Iterator[None]:
    """PEFT warns of several adapters on one model, and of taking off one that is in use."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`|Adapter .* was active which is now deleted")
        yield


def _size(folder: Path) -> int:
    return (folder / WEIGHTS).stat().st_size if (folder / WEIGHTS).is_file() else 0
