"""Run as a process of its own, `python -m bot.pull.gguf FILE FOLDER`: turns a GGUF file into bf16 safetensors and a tokenizer.

Reading a quantised file takes ten times as long as loading what this writes, and every start would pay it. Nothing
imports this module: it is the one place outside the plugins that loads a model library, and it ends with its process.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


def convert(gguf: Path, folder: Path) -> None:
    """Writes the model and its tokenizer, with the chat template that the file carries, into `folder`."""
    import gguf as reading
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # transformers parses the file once per thing it wants, and its name table once per module:
    # 36 s of CPU time for the starter model, 20 s with both remembered
    vars(reading).update({name: cache(getattr(reading, name)) for name in ("GGUFReader", "get_tensor_name_map")})
    where, name = str(gguf.parent), gguf.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    if not tokenizer.chat_template:
        raise SystemExit(f"{name} carries no chat template")
    model = AutoModelForCausalLM.from_pretrained(
        where, gguf_file=name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
