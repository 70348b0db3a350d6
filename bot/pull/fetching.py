"""One file over HTTP: resumed where it stopped, verified, and only then given its name. Which files: `wheels.py` and `hub.py`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.errors import PullError
from bot.pull.steps import Arrived

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try; the count begins anew whenever bytes arrive."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file to bring: `size` in bytes, its `sha256`, or `blob`, the id that git gives to its content."""

    url: str
    size: int
    sha256: str = ""
    blob: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Where it comes from, for messages; never with a password."""
        return httpx.URL(self.url).host

    def matches(self, path: Path) -> bool:
        """Whether the file's content is the one that was promised."""
        algorithm, expected = ("sha256", self.sha256) if self.sha256 else ("sha1", self.blob)
        digest = hashlib.new(algorithm, b"" if self.sha256 else f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest() == expected


class _InterruptedError(Exception):
    """The connection broke, or the server asked to wait."""


class DeniedError(PullError):
    """The server wants other credentials than it was given."""


def fetch(asset: Asset, into: Path, client: httpx.Client, arrived: Arrived, pauses: tuple[float, ...] = PAUSES) -> None:
    """Brings the file; what lies in `into` + ".part" from an earlier try is continued. Raises PullError.

    A continued file whose hash is wrong is begun anew once; a whole one whose hash is wrong is deleted.
    """
    part = into.with_name(into.name + ".part")
    continued = part.exists() and part.stat().st_size > 0
    _bring(asset, part, client, arrived, pauses)
    if continued and not asset.matches(part):
        part.unlink()
        _bring(asset, part, client, arrived, pauses)
    if not asset.matches(part):
        part.unlink()
        raise PullError(
            f"{into.name} from {asset.host}: expected the hash {asset.sha256 or asset.blob}, found another content; the file was deleted. "
            "A proxy or a mirror may have changed it: try again, or from another source"
        )
    part.rename(into)


def _bring(asset: Asset, part: Path, client: httpx.Client, arrived: Arrived, pauses: tuple[float, ...]) -> None:
    left = list(pauses)
    while True:
        before = _size(part)
        try:
            _stream(asset, part, client, arrived)
            if _size(part) >= asset.size:
                return
            raise _InterruptedError("the connection was closed early")
        except (httpx.TransportError, _InterruptedError) as error:
            if _size(part) > before:
                left = list(pauses)
            if not left:
                raise _unreachable(asset, part, error) from error
            time.sleep(left.pop(0))


def _stream(asset: Asset, part: Path, client: httpx.Client, arrived: Arrived) -> None:
    have = _size(part)
    if have > asset.size:
        part.unlink()
        have = 0
    if have == asset.size:
        part.touch()
        return
    headers = dict(asset.headers) | {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", asset.url, headers=headers, follow_redirects=True) as response:
        _judge(response, asset)
        resumes = response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        with part.open("ab" if resumes else "wb") as file:
            here = have if resumes else 0
            for block in response.iter_bytes():  # in pieces as they come: a chunk size would lose the last ones when the connection breaks
                file.write(block[: asset.size - here])
                here = min(here + len(block), asset.size)
                arrived(here)
                if here == asset.size:
                    break


def _judge(response: httpx.Response, asset: Asset) -> None:
    code = response.status_code
    if code in (401, 403, 407):
        raise DeniedError(f"{asset.host} answered {code} for {httpx.URL(asset.url).path}: it wants other credentials")
    if code == 429 or code >= 500:
        raise _InterruptedError(f"it answered {code}")
    if code not in (200, 206):
        raise PullError(f"{asset.host} answered {code} for {httpx.URL(asset.url).path}: expected the file")


def _unreachable(asset: Asset, part: Path, error: Exception) -> PullError:
    kept = f"{_size(part):,} of {asset.size:,} bytes are kept" if _size(part) else "nothing has come yet"
    return PullError(
        f"{asset.host} cannot be reached ({str(error) or type(error).__name__}); {kept}. "
        "Check the network or the proxy and run the same command again"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
