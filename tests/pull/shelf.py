"""A scripted web server on loopback: files with ranges, broken connections, refusals; a package index and a model hub on top."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    path: str
    range: str
    authorization: str
    host: str


@dataclass
class Shelf:
    """What the server has and does. `cuts` are the bytes after which the next file answers break off;
    while a `gate` is not set, file answers stop before their last byte.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    gate: threading.Event | None = None
    password: str = ""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gets(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def put_wheel(self, name: str, version: str, members: Mapping[str, bytes]) -> bytes:
        """Puts a wheel on the index at /simple/ and returns its bytes."""
        module = name.replace("-", "_")
        file = f"{module}-{version}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        wheel = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        info = f"{module}-{version}.dist-info"
        content = _zip({**members, f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel, f"{info}/RECORD": b""})
        self.files[f"/files/{file}"] = content
        self.files[f"/files/{file}.metadata"] = metadata
        link = f'<a href="/files/{file}#sha256={_sha256(content)}" data-dist-info-metadata="sha256={_sha256(metadata)}">{file}</a>'
        self.files[f"/simple/{name}/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        self.headers[f"/simple/{name}/"] = {"Content-Type": "text/html"}
        return content

    def put_repository(
        self, repo: str, files: Mapping[str, bytes], *, large: tuple[str, ...] = (), gated: str | bool = False, **told: object
    ) -> str:
        """Puts a repository on the hub, its `large` files as LFS objects on another host; returns the commit id."""
        commit = hashlib.sha1(repo.encode()).hexdigest()
        siblings = [_sibling(path, content, path in large) for path, content in files.items()]
        info = {
            "id": repo,
            "sha": commit,
            "gated": gated,
            "private": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": siblings,
        } | told
        self.files[f"/api/models/{repo}/revision/main"] = json.dumps(info).encode()
        self.files[f"/api/models/{repo}/auth-check"] = b"{}"
        for path, content in files.items():
            at = f"/{repo}/resolve/{commit}/{path}"
            if path in large:
                self.statuses[at], self.headers[at] = 302, {"Location": f"http://localhost:{self.port}/cdn/{path}"}
            self.files[f"/cdn/{path}" if path in large else at] = content
        return commit

    def refuse(self, path: str, status: int, code: str) -> None:
        """Answers as the hub does when it says no."""
        self.statuses[path], self.headers[path] = status, {"X-Error-Code": code, "X-Error-Message": code}


@contextmanager
def serving() -> Iterator[Shelf]:
    """A shelf that answers on loopback until the block ends."""
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, shelf)

        def log_message(self, format: str, *arguments: object) -> None:
            """Tests read `asked` instead."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up early is part of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shelf.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield shelf
    finally:
        if shelf.gate:
            shelf.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, shelf: Shelf) -> None:
    path = request.path.partition("?")[0]
    headers = request.headers
    asked = Asked(path, headers.get("Range", ""), headers.get("Authorization", ""), headers.get("Host", "").partition(":")[0])
    shelf.asked.append(asked)
    content = shelf.files.get(path)
    if shelf.password and asked.authorization != "Basic " + base64.b64encode(shelf.password.encode()).decode():
        _send(request, 401, b"", {"WWW-Authenticate": 'Basic realm="private"'})
    elif path in shelf.statuses:
        _send(request, shelf.statuses[path], b"", shelf.headers.get(path, {}))
    elif content is None:
        _send(request, 404, b"", {})
    elif asked.range and shelf.ranges:
        start = int(asked.range.removeprefix("bytes=").removesuffix("-"))
        _send_file(request, shelf, 206, content[start:], {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"})
    else:
        _send_file(request, shelf, 200, content, shelf.headers.get(path, {}))


def _send_file(request: BaseHTTPRequestHandler, shelf: Shelf, status: int, content: bytes, headers: Mapping[str, str]) -> None:
    measured = len(content) > 1000  # indexes and metadata are answered plainly
    cut = shelf.cuts.pop(0) if measured and shelf.cuts else len(content)
    held = 1 if measured and shelf.gate and cut == len(content) else 0
    _send(request, status, content[: cut - held], {**headers, "Content-Length": str(len(content))})
    if measured and shelf.gate:
        request.wfile.flush()
        shelf.gate.wait(30)
    if cut < len(content):
        request.close_connection = True
    elif held:
        request.wfile.write(content[-held:])


def _send(request: BaseHTTPRequestHandler, status: int, content: bytes, headers: Mapping[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def _sibling(path: str, content: bytes, large: bool) -> dict[str, object]:
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    lfs = {"lfs": {"sha256": _sha256(content), "size": len(content), "pointerSize": 135}} if large else {}
    return {"rfilename": path, "size": len(content), "blobId": git, **lfs}


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
