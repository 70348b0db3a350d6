"""The starter model for real: it answers, loads quietly and says what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import ConfigError, Generate, Memory, Placement
from bot.catalogue import load
from plugins.chat.config import Config, Running
from plugins.chat.engine import Engine
from plugins.chat.model import Chat, Plugin
from plugins.chat.settings import PERSONA
from tests.plugins.chat.arrivals import Arrivals, Request, alone, bot, generate, person, ran, system
from tests.plugins.chat.conftest import made
from tests.plugins.chat.test_engine import QUESTIONS

pytestmark = pytest.mark.models

STARTER_ENTRY = load().models["smollm2-135m-instruct"]

CAPITAL = "The capital of France is Paris."


def test_the_capital_of_france_is_paris(starter_engine: Engine) -> None:
    (answer,) = ran(starter_engine, Request(generate("What is the capital of France?")))
    assert (answer.text, answer.finish, answer.model) == (CAPITAL, "stop", "smollm2-135m-instruct")


@pytest.mark.parametrize("name", ["Alice", "You", "Jörg"])
def test_the_question_is_answered_under_the_default_persona(starter_engine: Engine, name: str) -> None:
    turns = (system(PERSONA), person("What is the capital of France?", name))
    (answer,) = ran(starter_engine, Request(Generate(turns=turns, max_tokens=16, temperature=0.0)))
    assert "Paris" in answer.text


def test_an_answer_that_was_cut_off_goes_on_as_if_it_had_not_been(starter_engine: Engine) -> None:
    (whole,) = ran(starter_engine, Request(generate("What is the capital of France, and what is it known for?", max_tokens=30)))
    (cut,) = ran(starter_engine, Request(generate("What is the capital of France, and what is it known for?", max_tokens=9)))
    turns = (*generate("What is the capital of France, and what is it known for?").turns, bot(cut.text))
    request = Request(Generate(turns=turns, max_tokens=21, temperature=0.0))
    (more,) = ran(starter_engine, request)
    assert cut.finish == "length" and more.text == whole.text
    assert all(partial.startswith(cut.text) for partial in request.partials)


@pytest.mark.parametrize("stop", [" Paris", "Par", "aris", "is Pa"])
def test_a_stop_string_ends_the_answer_before_itself(starter_engine: Engine, stop: str) -> None:
    request = Request(generate("What is the capital of France?", stop=("nowhere", stop)))
    (answer,) = ran(starter_engine, request)
    assert (answer.text, answer.finish) == (CAPITAL[: CAPITAL.index(stop)].strip(), "stop")
    assert all(answer.text.startswith(partial) for partial in request.partials)


def test_eight_people_at_once_each_get_the_answer_that_generate_gives(starter_engine: Engine) -> None:
    requests = [Request(generate(question, max_tokens=3 + index)) for index, question in enumerate(QUESTIONS)]
    answers = ran(starter_engine, *requests[:3], late={1: requests[3:5], 3: requests[5:]})
    assert [(answer.text, answer.tokens) for answer in answers] == [alone(starter_engine, request) for request in requests]


def test_sixteen_people_at_once_are_all_answered(starter_engine: Engine) -> None:
    turns = [(system(PERSONA), person("What is the capital of France?", f"Person {number}")) for number in range(16)]
    answers = ran(starter_engine, *[Request(Generate(turns=turn, max_tokens=24, temperature=0.0)) for turn in turns])
    assert ["Paris" in answer.text for answer in answers] == [True] * 16


def test_it_loads_without_a_word_runs_and_unloads(starter: Path, capfd: pytest.CaptureFixture[str]) -> None:
    chat = Chat(Config(context=512, max_batch=2), STARTER_ENTRY)
    expected = chat.memory()
    chat.load(Placement("cpu", starter, threads=1))
    measured = chat.memory()
    request = Request(generate("What is the capital of France?"))
    chat.run(Arrivals(request))
    chat.unload()
    assert "Paris" in request.answer.text
    assert measured.weights == pytest.approx(expected.weights, rel=0.01)
    assert measured.cache == expected.cache
    assert capfd.readouterr() == ("", "")
    with pytest.raises(RuntimeError, match="must be loaded before it runs"):
        chat.run(Arrivals(request))


def test_missing_weights_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"expected the model 'smollm2-135m-instruct' in .* run `hobnob models pull smollm2-135m-instruct`"
    ):
        Chat(Config(), STARTER_ENTRY).load(Placement("cpu", tmp_path))


def test_a_model_that_forgets_is_refused(tokenizer: Any) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    sizes: Any = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    model = MistralForCausalLM(MistralConfig(vocab_size=64, sliding_window=4, **sizes))
    with pytest.raises(ValueError, match="expected a model that keeps every token in its cache, found DynamicSlidingWindowLayer"):
        made("mistral", model, tokenizer)


def test_the_operators_models_are_registered() -> None:
    chosen = ("phi-2", "llama-3.1-8b-instruct")
    running = {"phi-2": Running(precision="bfloat16"), "llama-3.1-8b-instruct": Running(precision="int4")}
    models = list(Plugin(Config(models=chosen, max_batch=3, running=running), load()).register_models())
    assert [(model.name, model.weights, model.max_batch) for model in models] == [(name, name, 3) for name in chosen]
    facts = load().models["llama-3.1-8b-instruct"].chat
    assert facts is not None
    assert models[1].memory() == Memory(facts.weights("int4"), 2 * 65_536 * 2048 * 3)
    assert models[0].memory().weights == 2 * 2_779_683_840


def test_a_table_for_a_model_that_is_not_served_is_named() -> None:
    with pytest.raises(ConfigError, match=r"running\.phi-2: expected a model of `models`, or one below its adapters"):
        Plugin(Config(running={"phi-2": Running()}), load())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("phi2", "no model or set is called 'phi2'; did you mean 'phi-2'?"),
        ("whisper-base", "models: whisper-base is a model for speech, expected one for chat"),
    ],
)
def test_a_model_that_cannot_be_served_is_named(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Plugin(Config(models=(name,)), load())
    assert str(caught.value) == said
