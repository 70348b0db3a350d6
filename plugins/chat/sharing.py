"""A server on the worker's device that takes memory and gives it back: Ollama and vLLM. What it is asked beside that: `openai.py`."""

from __future__ import annotations

import time
from typing import Any

import httpx

from plugins.chat.config import Server

PATIENCE = 30.0
"""Seconds within which memory is free once a server has agreed to that."""

LOOK = 0.1
"""Seconds between two looks whether it is."""


class Sharing:
    """Asks in each server's own way, which is not part of OpenAI's protocol; `turns` has no way, and asks nothing."""

    def __init__(self, name: str, server: Server) -> None:
        self._name = name
        self._model = server.model or name
        self._patience = server.patience
        self._shares = server.shares
        self._root = httpx.URL(str(server.url)).copy_with(path="/", query=None)

    def take(self, headers: dict[str, str], seconds: float) -> None:
        """Has the model in the device's memory when it returns. Raises RuntimeError with what to do where that takes more `seconds`."""
        with self._client(headers, max(LOOK, min(self._patience, seconds))) as client:
            try:
                match self._shares:
                    case "ollama":
                        self._asked(client, "POST", "api/generate", json={"model": self._model, "keep_alive": -1, "stream": False})
                    case "vllm" if self._sleeping(client):
                        self._asked(client, "POST", "wake_up")
                    case _:
                        pass
            except httpx.ConnectError as error:
                raise RuntimeError(f"{self._name}: nothing answers at {self._root}; is it running?") from error

    def give_back(self, headers: dict[str, str]) -> None:
        """Returns when the memory is free; a server that does not run holds none. Raises RuntimeError for one that keeps it."""
        with self._client(headers, PATIENCE) as client:
            try:
                match self._shares:
                    case "ollama" if self._held(client):
                        self._asked(client, "POST", "api/generate", json={"model": self._model, "keep_alive": 0, "stream": False})
                        self._wait(client)
                    case "vllm" if not self._sleeping(client):
                        self._asked(client, "POST", "sleep", params={"level": 1})
                    case _:
                        pass
            except httpx.ConnectError:
                pass

    def _wait(self, client: httpx.Client) -> None:
        """Ollama answers before the process that holds the memory has ended."""
        deadline = time.monotonic() + PATIENCE
        while self._held(client):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._name}: Ollama was asked to unload {self._model}, and still has it after {PATIENCE:g} s")
            time.sleep(LOOK)

    def _held(self, client: httpx.Client) -> bool:
        loaded = self._told(client, "api/ps", "models") or []
        return any(self._model in (one.get("name"), one.get("model"), one.get("name", "").removesuffix(":latest")) for one in loaded)

    def _sleeping(self, client: httpx.Client) -> bool:
        return bool(self._told(client, "is_sleeping", "is_sleeping"))

    def _told(self, client: httpx.Client, path: str, what: str) -> Any:
        answer = self._asked(client, "GET", path)
        try:
            return answer.json()[what]
        except (ValueError, KeyError, TypeError) as error:
            raise RuntimeError(
                f"{self._name}: {answer.url} does not answer as {self._shares} does, check `url` and `shares`: {answer.text[:200]!r}"
            ) from error

    def _asked(self, client: httpx.Client, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            answer = client.request(method, path, **what)
        except httpx.ConnectError:
            raise
        except httpx.TransportError as error:
            raise RuntimeError(f"{self._name}: {self._root} broke off ({type(error).__name__}: {error})") from error
        if answer.is_success:
            return answer
        said = " ".join(answer.text[:300].split())
        if self._shares == "vllm" and answer.status_code == httpx.codes.NOT_FOUND:
            said = "start vLLM with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1 in its environment, reachable by nobody else"
        raise RuntimeError(f"{self._name}: {answer.url} answers {answer.status_code}: {said}")

    def _client(self, headers: dict[str, str], seconds: float) -> httpx.Client:
        return httpx.Client(base_url=self._root, headers=headers, timeout=httpx.Timeout(seconds, connect=10.0))
