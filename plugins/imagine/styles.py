"""LoRA files as styles of a pipeline: read when they are first asked for, switched before each pass. Which there are: `config.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Styles:
    """The styles of one pipeline, by name."""

    def __init__(self, pipe: Any, files: Mapping[str, Path]) -> None:
        self._pipe = pipe
        self._files = files
        self._digests: dict[str, str] = {}

    def use(self, name: str) -> str:
        """Has the next pass drawn in this style, "" for none; SHA-256 of its file. Raises ValueError for one that cannot be used."""
        if not name:
            if self._digests:
                self._pipe.disable_lora()
            return ""
        if name not in self._digests:
            self._digests[name] = self._read(name)
        self._pipe.enable_lora()
        self._pipe.set_adapters([name])
        return self._digests[name]

    def drop(self) -> None:
        """Takes all off the pipeline; they are read again when they are asked for."""
        if self._digests:
            self._pipe.unload_lora_weights()
            self._digests.clear()

    def _read(self, name: str) -> str:
        path = self._files.get(name)
        if path is None or not path.is_file():
            raise ValueError(f"styles.{name}: expected a LoRA file, found nothing at {path}")
        if path.suffix != ".safetensors":
            raise ValueError(f"styles.{name}: expected a .safetensors file, which can carry no code, found {path.name}")
        self._pipe.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True, use_safetensors=True
        )
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
