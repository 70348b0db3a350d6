"""A scripted server, and pip pointed at it and at nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.pull.shelf import Shelf, serving


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The server; pip's own settings and any proxy are out of the way."""
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("HF_TOKEN", "")
    with serving() as shelf:
        monkeypatch.setenv("PIP_INDEX_URL", f"{shelf.url}/simple/")
        yield shelf
