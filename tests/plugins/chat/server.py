"""A strict server of OpenAI's protocol on loopback, scripted by the test.

Run as a program, `server.py PORT FILE`, it is one that a worker starts.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Script:
    """What it does: `refusals` (status, headers) come first, then the words; with `breaks` the connection ends after so many of them.

    With `plain` it refuses system messages so, as templates of Gemma do. Each of `ends` is how one stream ends, instead of well: with a
    fault that is an event, or, where that is None, without a word.
    """

    words: Sequence[str] = ("The capital ", "is ", "Paris.")
    finish: str = "stop"
    calls: Sequence[dict[str, Any]] = ()
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    breaks: int | None = None
    plain: str = ""
    ends: list[dict[str, Any] | str | None] = field(default_factory=list)
    hold: threading.Event | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        self._say(200 if self.path == "/v1/models" else 404, {"object": "list", "data": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.script.asked.append(body)
        self.script.keys.append(self.headers.get("Authorization", ""))
        if self.path != "/v1/chat/completions" or body.get("stream") is not True:
            self._say(404, {"error": {"message": f"no {self.path}"}})
        elif self.script.plain and body["messages"][0]["role"] == "system":
            self._say(400, {"object": "error", "message": self.script.plain, "type": "BadRequestError", "code": 400})
        elif self.script.refusals:
            status, headers = self.script.refusals.pop(0)
            self._say(status, {"error": {"message": "not now"}}, headers)
        else:
            self._stream(body)

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
            for number, word in enumerate(self.script.words):
                if number == self.script.breaks:
                    self.close_connection = True
                    return
                self._event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
            for call in self.script.calls:
                self._event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]})
            if self.script.ends:
                if fault := self.script.ends.pop(0):
                    self._event({"error": fault})
                    self.wfile.write(b"data: [DONE]\n\n")
                return
            while self.script.hold and not self.script.hold.wait(0.01):
                self.wfile.write(b": still here\n\n")
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": self.script.finish}]})
            if body.get("stream_options", {}).get("include_usage"):
                self._event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.script.hung_up.set()

    def _event(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def _say(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        said = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read the script instead."""


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[str]:
    """A server on loopback that this handles until the block ends; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(script: Script, port: int = 0) -> Iterator[Script]:
    """Answers until the block ends."""
    with answering(type("Scripted", (Handler,), {"script": script}), port) as address:
        script.url = f"{address}/v1"
        yield script


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as file:
        file.write("started\n")
    with serving(Script(), int(sys.argv[1])):
        threading.Event().wait()
