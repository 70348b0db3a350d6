"""A server that runs models for others over HTTP, as Ollama and vLLM do, and the models that ask it. Each request is a line in the log."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bot.models import Batch, Memory, Model, Placement, Work
from tests.worker.drill import Beat, Done, note

CHUNK = b"la "


class Ask(Beat):
    """Asks the endpoint for a song; those in different keys cannot be sung together."""

    kind = "ask"

    key: str = ""

    def batch_key(self) -> str:
        return self.key


class Share(Ask):
    """The same of one that shares the device."""

    kind = "share"


class Server(ThreadingHTTPServer):
    """Sings, piece by piece, while the file exists that it is given; forgets what is not to be kept."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.singing: set[str] = set()
        self.most = 0
        self.hung_up: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        _, what, name = urlsplit(self.path).path.split("/", 2)
        note(f"http-{what}", name)
        hold = Path(self.rfile.read(int(self.headers["Content-Length"])).decode() or "/nowhere")
        self.send_response(200)
        self.end_headers()
        if what == "sing":
            self._sing(name, hold)

    def _sing(self, name: str, hold: Path) -> None:
        with self.server.lock:
            self.server.singing.add(name)
            self.server.most = max(self.server.most, len(self.server.singing))
        try:
            pause = threading.Event()
            self.wfile.write(CHUNK)
            while hold.exists():
                pause.wait(0.01)
                self.wfile.write(CHUNK)
        except OSError:
            self.server.hung_up.append(name)
        with self.server.lock:
            self.server.singing.discard(name)

    def log_message(self, format: str, *args: object) -> None: ...


class Endpoint(Model[Ask, Done]):
    """Has its songs sung elsewhere, three at once."""

    name = "endpoint"
    job = Ask
    concurrency = 3
    remote = True

    def __init__(self, url: str) -> None:
        self._url = url

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None:
        httpx.post(f"{self._url}/load/{self.name}", content="").raise_for_status()

    def unload(self) -> None:
        httpx.post(f"{self._url}/release/{self.name}", content="").raise_for_status()

    def run(self, batch: Batch[Ask, Done]) -> None:
        for work in batch:
            self._sing(work)

    def _sing(self, work: Work[Ask, Done]) -> None:
        with httpx.stream("POST", f"{self._url}/sing/{work.job.name}", content=work.job.hold) as answer:
            for _ in answer.iter_bytes():
                if work.cancelled:
                    return
        work.finish(Done(pid=os.getpid()))


class Sharing(Endpoint):
    """The same on the worker's own device, of which it takes more than there is."""

    name = "sharing"
    job = Share
    concurrency = 2
    remote = False

    def memory(self) -> Memory:
        return Memory(1 << 60)
