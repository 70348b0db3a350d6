"""The half that lives in the router. The platform itself: `connector.py`, what comes and goes over its wire: `events.py`."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Connector, hookimpl

from .config import Config
from .connector import Matrix


class Plugin:
    """Hobnob makes one, with the operator's Config."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @hookimpl
    def register_connectors(self) -> Iterable[Connector]:
        """Built here; `run` connects."""
        return [Matrix(self._config)]
