"""Tiny checkpoints of every family, from the real classes and with the real control tokens; what they say is noise."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

CORPUS = (
    "What is the capital of France? The capital of France is Paris. Be brief. Hello Alice, how are you today?",
    "User: Assistant: Question: Answer: Instruct: Output: ### Instruction: ### Response: Below is an instruction that describes a task.",
    "Write a response that appropriately completes the request. one two three apple Tell me a story about a cat and a dog.",
)
"""What the tokenizers learn their few words from."""

CONTROL = {
    "llama-3.1-8b-instruct": [
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "<|python_tag|>",
    ],
    "bloom-560m": ["<unk>", "<s>", "</s>", "<pad>"],
    "bloomz-560m": ["<unk>", "<s>", "</s>", "<pad>"],
    "mpt-7b-chat": ["<|endoftext|>", "<|padding|>", "<|im_start|>", "<|im_end|>"],
    "mpt-7b-instruct": ["<|endoftext|>", "<|padding|>"],
    "falcon-7b-instruct": [">>TITLE<<", ">>QUESTION<<", ">>ANSWER<<", "<|endoftext|>"],
    "falcon-40b-instruct": [">>TITLE<<", ">>QUESTION<<", ">>ANSWER<<", "<|endoftext|>"],
    "phi-2": ["<|endoftext|>"],
    "gemma-2b-it": ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"],
}
FIRST = {"llama-3.1-8b-instruct": "<|begin_of_text|>", "gemma-2b-it": "<bos>"}
LAST = {
    "llama-3.1-8b-instruct": "<|eot_id|>",
    "bloom-560m": "</s>",
    "bloomz-560m": "</s>",
    "gemma-2b-it": "<eos>",
}

LLAMA = (
    "{{ bos_token }}{% if tools is not defined %}{% set tools = none %}{% endif %}{% if messages[0]['role'] == 'system' %}"
    "{% set system = messages[0]['content']|trim %}{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\\n\\n' }}{% if tools is not none %}{{ 'Environment: ipython\\n' }}{% endif %}"
    "{{ 'Cutting Knowledge Date: December 2023\\nToday Date: ' + (date_string or '26 Jul 2024') + '\\n\\n' + system + '<|eot_id|>' }}"
    "{% if tools is not none %}{% set first = messages[0]['content']|trim %}{% set messages = messages[1:] %}"
    "{{ '<|start_header_id|>user<|end_header_id|>\\n\\nGiven the following functions, please respond with a JSON for a function call "
    'with its proper arguments that best answers the given prompt.\\n\\nRespond in the format {"name": function name, "parameters": '
    "dictionary of argument name and its value}.Do not use variables.\\n\\n' }}{% for tool in tools %}{{ tool|tojson(indent=4) }}"
    "{{ '\\n\\n' }}{% endfor %}{{ first + '<|eot_id|>' }}{% endif %}{% for message in messages %}{% if 'tool_calls' in message %}"
    "{% if message.tool_calls|length != 1 %}{{ raise_exception('This model only supports single tool-calls at once!') }}{% endif %}"
    '{% set call = message.tool_calls[0].function %}{{ \'<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "\' + call.name + '
    "'\", \"parameters\": ' }}{{ call.arguments|tojson }}{{ '}<|eot_id|>' }}{% elif message.role == 'tool' %}"
    "{{ '<|start_header_id|>ipython<|end_header_id|>\\n\\n' + message.content|tojson + '<|eot_id|>' }}{% else %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content']|trim + '<|eot_id|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
"""What the one that Llama 3.1 ships does for conversations and for tools of one's own; not its built-in ones."""

GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\\n' + message['content']|trim"
    " + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
FAULTY = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}<|im_start|>assistant\n{% endfor %}"
)
"""MPT-7B-Chat ships one like this: no end after the system text, an answer's head behind every message."""

TEMPLATES = {"llama-3.1-8b-instruct": LLAMA, "gemma-2b-it": GEMMA, "mpt-7b-chat": FAULTY}

NAMES = tuple(CONTROL)


def tokenizer(name: str) -> Any:
    """Bytes, the words of the corpus, and the family's control tokens."""
    import transformers

    backend: Any = transformers.PreTrainedTokenizerFast

    control, last = CONTROL[name], LAST.get(name, "<|endoftext|>")
    if name.startswith("gemma"):
        vocabulary = [
            *control,
            "▁",
            *string.ascii_letters,
            *string.digits,
            *string.punctuation,
            "\n",
        ]
        made: Any = transformers.GemmaTokenizer(vocab={token: id for id, token in enumerate(vocabulary)}, extra_special_tokens=control[4:])
    else:
        made = backend(tokenizer_object=_bytes(control, FIRST.get(name)), bos_token=FIRST.get(name), eos_token=last)
        made.add_special_tokens({"additional_special_tokens": control})
    made.chat_template = TEMPLATES.get(name)
    return made


def _bytes(control: list[str], first: str | None) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=400, special_tokens=control, initial_alphabet=alphabet, show_progress=False)
    )
    if first:
        made.post_processor = processors.TemplateProcessing(single=f"{first} $A", special_tokens=[(first, made.token_to_id(first))])
    return made


def config(name: str, vocabulary: int, last: int) -> Any:
    """Two layers of the family."""
    import transformers as t

    ends: Any = {"vocab_size": vocabulary, "eos_token_id": last, "bos_token_id": last, "pad_token_id": None, "initializer_range": 0.3}
    small: Any = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    scaled = {"rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    match name.split("-")[0]:
        case "llama":
            rope: Any = {**scaled, "original_max_position_embeddings": 8192}
            return t.LlamaConfig(**ends, **small, intermediate_size=96, num_key_value_heads=2, rope_parameters=rope)
        case "bloom" | "bloomz":
            return t.BloomConfig(**ends, hidden_size=48, n_layer=2, n_head=4)
        case "mpt":
            return t.MptConfig(**ends, d_model=48, n_layers=2, n_heads=4)
        case "falcon" if "7b" in name:
            return t.FalconConfig(**ends, **small, multi_query=True, parallel_attn=True, bias=False, alibi=False)
        case "falcon":
            return t.FalconConfig(**ends, **small, new_decoder_architecture=True, num_kv_heads=2, bias=False, alibi=False)
        case "phi":
            half: Any = {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.4}
            return t.PhiConfig(
                **ends, hidden_size=80, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, rope_parameters=half
            )
        case _:
            return t.GemmaConfig(**ends, **small, intermediate_size=96, num_key_value_heads=1, head_dim=16)


def checkpoint(folder: Path, name: str) -> Path:
    """Writes what a pull would bring."""
    import torch
    import transformers

    torch.manual_seed(0)
    words = tokenizer(name)
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(config(name, len(words), words.eos_token_id))
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
