"""The commands of admins and owners. What each shows and does is in the module of its name."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Route, hookimpl
from plugins.admin import forms, owners, switches


class Plugin:
    """Administers."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Nothing here is ordered: an admin waits for no answer of a model."""
        return [*switches.routes(), *forms.routes(), *owners.routes()]
