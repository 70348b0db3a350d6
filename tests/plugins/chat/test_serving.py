"""A real OpenAI-compatible server behind the engine: `transformers serve` with the starter model, ours to start and by itself."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from bot import Placement
from plugins.chat.config import Server
from plugins.chat.remote import Remote, ServerRefusedError
from tests.plugins.chat.arrivals import Arrivals, Request, bot, generate, person

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
        self.command = [str(program), "serve", self.model, "--device", "cpu", "--host", "127.0.0.1", "--port", str(self.port)]

    def remote(self, **more: Any) -> Remote:
        return Remote("served", Server.model_validate({"url": self.url, "model": self.model, "patience": PATIENCE, **more}))


@pytest.fixture(scope="module")
def facts(starter: Path) -> Facts:
    return Facts(starter)


@pytest.fixture(scope="module")
def managed(facts: Facts) -> Iterator[Remote]:
    """Started by the engine; the one server of all these tests."""
    model = facts.remote(command=facts.command, memory=1.5)
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


def test_a_managed_one_answers_and_streams(managed: Remote) -> None:
    request = run(managed, Request(generate(FRANCE)))
    assert "Paris" in request.answer.text
    assert len(request.partials) > 3 and all(request.answer.text.startswith(partial) for partial in request.partials)
    assert request.answer.prompt_tokens > 10 and request.answer.finish == "stop"
    assert (managed.memory().weights, managed.remote) == (1_500_000_000, False)


def test_one_that_runs_by_itself_says_the_same(managed: Remote, other: Remote) -> None:
    assert run(other, Request(generate(FRANCE))).answer.text == run(managed, Request(generate(FRANCE))).answer.text
    assert (other.memory().weights, other.remote) == (0, True)
    other.unload()
    assert run(managed, Request(generate("Hi!", max_tokens=2))).answer.text, "it is not ours to stop"


def test_it_ends_where_it_is_to(other: Remote) -> None:
    whole = run(other, Request(generate(FRANCE))).answer.text
    cut = run(other, Request(generate(FRANCE, max_tokens=3))).answer
    assert (cut.finish, cut.tokens) == ("length", 3) and whole.startswith(cut.text)
    stopped = run(other, Request(generate(FRANCE, stop=("Paris",)))).answer
    assert stopped.text == whole[: whole.index("Paris")].strip()


def test_a_cancelled_answer_hangs_up_and_the_next_one_comes(other: Remote) -> None:
    request = Request(generate("Tell me a long story.", max_tokens=400), lambda request: setattr(request, "cancel", True))
    assert run(other, request).results == []
    assert run(other, Request(generate("Hi!", max_tokens=4))).answer.text


def test_a_conversation_is_told_in_its_turns(other: Remote) -> None:
    turns = (person("My name is Ada."), bot("Hello Ada."), person("What is my name?"))
    assert "Ada" in run(other, Request(generate("x").model_copy(update={"turns": turns}))).answer.text


def test_a_model_that_it_does_not_have_is_a_sentence(facts: Facts, managed: Remote) -> None:
    with pytest.raises(ServerRefusedError, match=r"answers 400: .*Server is pinned to"):
        run(facts.remote(model="another"), Request(generate("Hi!")))


def test_one_that_dies_is_started_again(managed: Remote) -> None:
    """Last, because it takes as long as starting it."""
    assert managed._managed and managed._managed._process
    (child,) = psutil.Process(managed._managed._process.pid).children()
    child.kill()
    managed._managed._process.wait(30)
    assert run(managed, Request(generate("Hi!", max_tokens=4))).answer.text
