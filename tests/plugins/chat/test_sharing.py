"""Servers that share the worker's device: how Ollama and vLLM are asked for memory, against strict servers that answer as these do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from bot import Placement
from plugins.chat.config import Server
from plugins.chat.remote import Remote

HERE = Placement("cpu")


@dataclass
class Card:
    """What the server holds; `late` is how many times Ollama says that it holds a model that it was told to unload."""

    loaded: bool = False
    late: int = 0
    routes: bool = True
    """Whether vLLM was started with what makes it listen to this."""
    asked: list[str] = field(default_factory=list)


class Ollama(BaseHTTPRequestHandler):
    """See https://github.com/ollama/ollama/blob/main/docs/api.md: an empty prompt loads, or unloads with `keep_alive` 0."""

    card: Card

    def do_GET(self) -> None:
        assert self.path == "/api/ps"
        self.card.asked.append("ps")
        held = self.card.loaded or self.card.late > 0
        self.card.late -= held and not self.card.loaded
        say(self, 200, {"models": [{"name": "llama3.1:latest", "model": "llama3.1:latest"}] if held else []})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/api/generate" and set(asked) == {"model", "keep_alive", "stream"}
        self.card.asked.append(f"{asked['model']} {asked['keep_alive']}")
        if asked["model"] != "llama3.1":
            say(self, 404, {"error": f"model '{asked['model']}' not found"})
            return
        self.card.loaded = asked["keep_alive"] != 0
        say(self, 200, {"done": True})

    def log_message(self, format: str, *args: object) -> None:
        """Tests read the card instead."""


class Vllm(BaseHTTPRequestHandler):
    """See https://docs.vllm.ai/en/latest/features/sleep_mode/."""

    card: Card

    def do_GET(self) -> None:
        if not self.card.routes:
            say(self, 404, {"detail": "Not Found"})
            return
        assert self.path == "/is_sleeping"
        say(self, 200, {"is_sleeping": not self.card.loaded})

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        self.card.asked.append(url.path)
        assert (url.path, parse_qs(url.query)) in (("/sleep", {"level": ["1"]}), ("/wake_up", {}))
        self.card.loaded = url.path == "/wake_up"
        say(self, 200, {})

    log_message = Ollama.log_message


class Stranger(BaseHTTPRequestHandler):
    """Answers everything, in a way of its own."""

    card: Card

    def do_GET(self) -> None:
        say(self, 200, {"hello": "world"})

    log_message = Ollama.log_message


def say(handler: BaseHTTPRequestHandler, status: int, content: dict[str, Any]) -> None:
    said = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(said)))
    handler.end_headers()
    handler.wfile.write(said)


@contextmanager
def serving(kind: type[BaseHTTPRequestHandler], card: Card) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Scripted", (kind,), {"card": card}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def remote(url: str, shares: str, **facts: Any) -> Remote:
    return Remote("big", Server.model_validate({"url": url, "shares": shares, "memory": 5, **facts}))


def test_ollama_loads_for_as_long_as_it_is_needed_and_is_waited_for_when_it_unloads() -> None:
    card = Card()
    with serving(Ollama, card) as url:
        model = remote(url, "ollama", model="llama3.1")
        assert (model.remote, model.memory().weights) == (False, 5_000_000_000)
        model.unload()
        model.load(HERE)
        assert (card.loaded, card.asked) == (True, ["ps", "llama3.1 -1"])
        card.late = 2
        model.unload()
        assert (card.loaded, card.asked[2:]) == (False, ["ps", "llama3.1 0", "ps", "ps", "ps"])


def test_vllm_sleeps_and_wakes_up() -> None:
    card = Card(loaded=True)
    with serving(Vllm, card) as url:
        model = remote(url, "vllm")
        model.load(HERE)
        assert card.asked == [], "it was awake"
        model.unload()
        model.unload()
        model.load(HERE)
        assert (card.loaded, card.asked) == (True, ["/sleep", "/wake_up"])


def test_a_vllm_that_cannot_sleep_and_a_model_that_is_not_there_are_sentences() -> None:
    with serving(Vllm, Card(routes=False)) as url, pytest.raises(RuntimeError, match="start vLLM with --enable-sleep-mode"):
        remote(url, "vllm").load(HERE)
    with serving(Ollama, Card()) as url, pytest.raises(RuntimeError, match=r"big: .*answers 404: .*model 'big' not found"):
        remote(url, "ollama").load(HERE)


def test_another_kind_of_server_is_a_sentence() -> None:
    with serving(Stranger, Card()) as url:
        for shares in ("ollama", "vllm"):
            with pytest.raises(RuntimeError, match=f"does not answer as {shares} does, check `url` and `shares`"):
                remote(url, shares).unload()


def test_a_server_that_is_not_running_holds_nothing() -> None:
    with serving(Ollama, Card()) as url:
        pass
    for shares in ("ollama", "vllm"):
        model = remote(url, shares)
        model.unload()
        with pytest.raises(RuntimeError, match=r"big: nothing answers at .*; is it running"):
            model.load(HERE)


def test_one_that_cannot_give_its_memory_back_still_takes_turns() -> None:
    model = remote("http://127.0.0.1:1/v1", "turns")
    assert (model.remote, model.memory().weights) == (False, 0)
    model.load(HERE)
    model.unload()


def test_a_server_makes_room_in_one_way() -> None:
    with pytest.raises(ValidationError, match="makes room by being stopped"):
        remote("http://127.0.0.1:1/v1", "ollama", command=["ollama", "serve"])
