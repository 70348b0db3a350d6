"""The commands of admins and owners. What each shows and does is in the module of its name."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from bot import Catalogue, Route, hookimpl
from plugins.admin import dashboard, forms, languages, mydata, owners, permits, quotas, switches, why
from plugins.admin.telling import Telling


class Plugin:
    """Administers."""

    def __init__(self, config: BaseModel, catalogue: Catalogue) -> None:
        self._telling = Telling(catalogue)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Nothing here is ordered: an admin waits for no answer of a model."""
        modules = (dashboard, switches, forms, permits, quotas, mydata, languages, owners, why)
        return [*(route for module in modules for route in module.routes()), *self._telling.routes()]
