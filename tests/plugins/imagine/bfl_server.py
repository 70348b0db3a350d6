"""A strict server of FLUX.1 [pro]'s protocol on loopback, scripted by the test: it refuses what the real one does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from PIL import Image

from tests.plugins.chat.server import answering

KEY = "secret-key"
MODEL = "flux-pro-1.1"
NUMBERS = ("width", "height", "seed", "safety_tolerance")


@dataclass
class Script:
    """What it does: `refusals` answer the first requests, `states` follow one another, then `end`; `broken` downloads fail at first.

    `polling` replaces the address that requests are told to ask at.
    """

    refusals: list[int] = field(default_factory=list)
    states: list[str | int] = field(default_factory=lambda: ["Pending", "Generating"])
    end: str = "Ready"
    broken: int = 0
    polling: str = ""
    size: int = 0
    hold: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    downloads: int = 0
    leaks: list[str] = field(default_factory=list)
    url: str = ""

    def faults(self, body: dict[str, Any]) -> str:
        """What the real server would refuse a request for."""
        if wrong := [name for name in NUMBERS if not isinstance(body.get(name), int)]:
            return f"expected whole numbers for {', '.join(wrong)}"
        if not (256 <= body["width"] <= 1440 and body["width"] % 32 == 0 and 256 <= body["height"] <= 1440 and body["height"] % 32 == 0):
            return "expected sides of 256 to 1440, multiples of 32"
        unknown = set(body) - {*NUMBERS, "prompt", "output_format", "image_prompt"}
        return f"unknown: {', '.join(unknown)}" if unknown or not body.get("prompt") or body.get("output_format") != "png" else ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_POST(self) -> None:
        script = self.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("x-key") != KEY:
            self._say(403, {"detail": "Not authenticated"})
        elif self.path != f"/v1/{MODEL}":
            self._say(404, {"detail": "Not Found"})
        elif fault := script.faults(body):
            self._say(422, {"detail": fault})
        elif script.refusals:
            self._say(script.refusals.pop(0), {"detail": "not now"})
        else:
            script.asked.append(body)
            told = script.polling or f"{script.url}/get_result?id={len(script.asked)}"
            self._say(200, {"id": str(len(script.asked)), "polling_url": told, "cost": 4.0})

    def do_GET(self) -> None:
        script = self.script
        if self.path.startswith("/v1/get_result?id="):
            self._look()
        elif self.path == "/delivery/sample.png":
            script.downloads += 1
            script.leaks += [self.headers["x-key"]] if "x-key" in self.headers else []
            if script.downloads <= script.broken:
                self._say(503, {})
            else:
                self._give(script.size or None)
        else:
            self._say(404, {"detail": "Not Found"})

    def _look(self) -> None:
        script = self.script
        script.looks += 1
        if self.headers.get("x-key") != KEY:
            self._say(403, {"detail": "Not authenticated"})
            return
        state = "Pending" if script.hold else script.states.pop(0) if script.states else script.end
        if isinstance(state, int):
            self._say(state, {"detail": "busy"})
            return
        origin = script.url.removesuffix("/v1")
        result = {"sample": f"{origin}/delivery/sample.png"} if state == "Ready" else None
        self._say(404 if state == "Task not found" else 200, {"id": "1", "status": state, "result": result, "details": None})

    def _give(self, size: int | None) -> None:
        body = self.script.asked[-1]
        out = io.BytesIO()
        Image.new("RGB", (body["width"], body["height"]), (body["seed"] % 256, 0, 0)).save(out, "PNG")
        content = out.getvalue() + b"\0" * (size or 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # who asked has seen enough

    def _say(self, status: int, content: dict[str, Any]) -> None:
        said = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read the script instead."""


@contextmanager
def serving(script: Script) -> Iterator[Script]:
    """Answers until the block ends."""
    with answering(type("Scripted", (Handler,), {"script": script})) as address:
        script.url = f"{address}/v1"
        yield script
