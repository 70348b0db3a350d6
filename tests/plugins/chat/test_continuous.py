"""transformers' continuous batching as an engine: proven or refused at load, and then the same tokens as `generate`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import Placement
from bot.catalogue import load
from plugins.chat.config import Config, Running
from plugins.chat.continuous import Continuous, UnprovenError
from plugins.chat.engine import Engine
from plugins.chat.model import Chat
from tests.plugins.chat.arrivals import Arrivals, Request, alone, generate, ran
from tests.plugins.chat.families import checkpoint

CATALOGUE = load()

PROVEN = ("llama-3.1-8b-instruct", "phi-2", "gemma-2b-it")

QUESTIONS = ("Hi!", "What is the capital of France?", "Tell me a story. " * 12, "one two three", "How are you?")


def chat(folder: Path, name: str) -> Chat:
    """Loaded as a worker would, with the loop asked for."""
    running = {name: Running(engine="continuous", precision="float32")}
    made = Chat(Config(models=(name,), max_batch=8, context=512, running=running), CATALOGUE.models[name])
    made.load(Placement("cpu", checkpoint(folder / name, name)))
    return made


@pytest.fixture(scope="module", params=PROVEN)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Continuous]:
    loaded = chat(tmp_path_factory.mktemp("models"), request.param)
    assert isinstance(loaded.engine, Continuous), "it proves itself"
    yield loaded.engine
    loaded.unload()


def expected(engine: Continuous, request: Request) -> tuple[str, int]:
    with engine._plainly():
        return alone(engine, request)


def test_answers_that_come_and_go_equal_generate(engine: Continuous) -> None:
    requests = [Request(generate(question, max_tokens=32 - 6 * index)) for index, question in enumerate(QUESTIONS)]  # the first ones last
    engine.run(Arrivals(*requests[:2], late={1: requests[2:3], 2: requests[3:]}))
    assert [(one.answer.text, one.answer.tokens) for one in requests] == [expected(engine, one) for one in requests]
    assert all(one.partials for one in requests[1:])


def test_an_answer_ends_before_a_stop_string_and_what_nobody_waits_for_leaves(engine: Continuous) -> None:
    def cancel(request: Request) -> None:
        request.cancel = True

    job = generate(QUESTIONS[2], max_tokens=20)
    whole, _ = expected(engine, Request(job))
    stop = whole[len(whole) // 2 :][:3]
    stopped, gone = Request(job.model_copy(update={"stop": (stop,)})), Request(generate(QUESTIONS[1], max_tokens=400), cancel)
    engine.run(Arrivals(stopped, gone))
    assert stopped.answer.text == whole[: whole.index(stop)].strip()
    assert gone.results == [] and len(gone.partials) < 100, "the library's thread may be a few tokens ahead"


def test_answers_go_on_from_their_words_when_another_model_had_its_turn(engine: Continuous) -> None:
    requests = [Request(generate(question, max_tokens=24)) for question in QUESTIONS[:3]]
    newcomer = Request(generate(QUESTIONS[3], max_tokens=8))
    ends = Arrivals(*requests, ends=2)
    engine.run(ends)
    assert not all(one.results for one in requests), "it was over before"
    engine.park()
    engine.unpark()
    engine.run(Arrivals(*requests, newcomer))
    assert [(one.answer.text, one.answer.tokens) for one in [*requests, newcomer]] == [
        expected(engine, one) for one in [*requests, newcomer]
    ]


def test_each_request_has_its_own_temperature(engine: Continuous) -> None:
    greedy, wild = Request(generate(QUESTIONS[1])), Request(generate(QUESTIONS[1], temperature=2.0, top_p=1.0))
    engine.run(Arrivals(greedy, wild))
    assert greedy.answer.text == expected(engine, greedy)[0] != wild.answer.text


def test_the_cache_is_as_large_as_foretold(engine: Continuous) -> None:
    engine.run(Arrivals(Request(generate("Hi!", max_tokens=2))))
    cache = engine._manager.batch_processor.cache
    assert cache.cache_tensor.nbytes == pytest.approx(engine.memory.cache, rel=0.1)


@pytest.mark.parametrize("name", ["bloom-560m", "mpt-7b-instruct", "falcon-7b-instruct"])
def test_a_model_that_computes_something_else_like_this_is_batched(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "plugins.chat.model"):
        loaded = chat(tmp_path, name)
    assert isinstance(loaded.engine, Engine)
    assert f"{name} is run in the batched engine: continuous batching did not prove itself" in caplog.text
    request = Request(generate("Hi!", max_tokens=4))
    loaded.run(Arrivals(request))
    assert (request.answer.text, request.answer.tokens) == alone(loaded.engine, request)
    loaded.unload()


def test_what_was_said_counts_as_little_as_in_the_batched_engine(engine: Continuous, monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine.speakers.first
    requests = [Request(generate(question, max_tokens=24)) for question in QUESTIONS[:3]]
    plain = [expected(engine, one)[0] for one in requests]
    monkeypatch.setattr(first, "repetition", 3.0)
    engine.park()  # the loop begins anew
    engine.unpark()
    engine.run(Arrivals(*requests[:2], late={2: requests[2:]}, ends=4))
    assert not all(one.results for one in requests), "it was over before"
    engine.run(Arrivals(*requests))
    with engine._plainly():
        batched = ran(Engine(engine.model, engine.speakers, max_batch=4), *(Request(one.job) for one in requests))
    assert [(one.answer.text, one.answer.tokens) for one in requests] == [(one.text, one.tokens) for one in batched]
    assert [one.answer.text for one in requests] != plain
    monkeypatch.undo()
    engine.park()
    engine.unpark()


def test_what_ends_the_loop_is_raised_and_the_next_run_begins_anew(engine: Continuous, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="out of memory"):
        patch.setattr(engine.model, "forward", starved)
        engine.run(Arrivals(Request(generate("Hi!"))))
    request = Request(generate("Hi!", max_tokens=4))
    engine.run(Arrivals(request))
    assert (request.answer.text, request.answer.tokens) == expected(engine, request)


def test_unproven_says_by_how_much(engine: Continuous, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.chat.continuous.TOLERANCE", {engine.model.dtype: -1.0})
    with pytest.raises(UnprovenError, match="a token's probability differs by"):
        engine.prove()
