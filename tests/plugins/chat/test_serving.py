"""A real OpenAI-compatible server behind the engine: `transformers serve` with the starter model, ours to start and by itself."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import Placement
from plugins.chat.config import Server
from plugins.chat.engine import Engine
from plugins.chat.remote import Remote, ServerRefusedError
from tests.plugins.chat.arrivals import Arrivals, Request, alone, generate

pytest.importorskip("openai", reason="transformers serve takes the package openai, which is not installed")
pytestmark = pytest.mark.models

PATIENCE = 240
"""Seconds in which the slowest machine has loaded it."""

FRANCE = "What is the capital of France?"


class Facts:
    """Where it answers, by which name it has the model, and how it is started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.model = str(folder)
        program = Path(sys.executable).with_name("transformers")
        exact = ["--device", "cpu", "--dtype", "float32"]  # in which the starter says the same everywhere
        self.command = [str(program), "serve", self.model, *exact, "--host", "127.0.0.1", "--port", str(self.port)]

    def remote(self, **more: Any) -> Remote:
        return Remote("served", Server.model_validate({"url": self.url, "model": self.model, "patience": PATIENCE, **more}))


@pytest.fixture(scope="module")
def facts(starter: Path) -> Facts:
    return Facts(starter)


@pytest.fixture(scope="module")
def managed(facts: Facts) -> Iterator[Remote]:
    """Started by the engine; the one server of all these tests."""
    model = facts.remote(command=facts.command, memory=1.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # two threads that wait for each other are slower as soon as a core has other work
        model.load(Placement("cpu"))
    yield model
    model.unload()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{facts.url}/models", timeout=5.0)


@pytest.fixture
def other(facts: Facts, managed: Remote) -> Remote:
    """The same server, for somebody who did not start it."""
    return facts.remote()


def run(model: Remote, request: Request) -> Request:
    model.run(Arrivals(request))
    return request


def test_a_managed_one_answers_and_streams(managed: Remote, starter_engine: Engine) -> None:
    request = run(managed, Request(generate(FRANCE)))
    assert "Paris" in request.answer.text and request.answer.finish == "stop"
    assert request.answer.text == alone(starter_engine, request)[0], "the prompt is the same to the letter"
    assert len(request.partials) > 3 and all(request.answer.text.startswith(partial) for partial in request.partials)
    assert request.answer.prompt_tokens == len(starter_engine.speakers.first.encode(request.job).tokens)
    assert (managed.memory().weights, managed.remote) == (1_500_000_000, False)


def test_one_that_runs_by_itself_is_not_ours_to_stop(managed: Remote, other: Remote) -> None:
    other.load(Placement("cpu"))
    assert "Paris" in run(other, Request(generate(FRANCE))).answer.text
    assert (other.memory().weights, other.remote) == (0, True)
    other.unload()
    assert run(managed, Request(generate("Hi!", max_tokens=2))).answer.text


def test_it_ends_where_it_is_to(other: Remote) -> None:
    whole = "The capital of France is Paris."
    cut = run(other, Request(generate(FRANCE, max_tokens=3))).answer
    assert (cut.finish, cut.tokens) == ("length", 3) and whole.startswith(cut.text)
    stopped = run(other, Request(generate(FRANCE, stop=("Paris",)))).answer
    assert stopped.text == whole[: whole.index("Paris")].strip()


def test_a_cancelled_answer_hangs_up_and_the_next_one_comes(other: Remote) -> None:
    request = Request(generate("Tell me a long story.", max_tokens=400), lambda request: setattr(request, "cancel", True))
    assert run(other, request).results == []
    assert run(other, Request(generate("Hi!", max_tokens=4))).answer.text


def test_a_model_that_it_does_not_have_is_a_sentence(facts: Facts, managed: Remote) -> None:
    with pytest.raises(ServerRefusedError, match=r"answers 400: .*Server is pinned to"):
        run(facts.remote(model="another"), Request(generate("Hi!")))
