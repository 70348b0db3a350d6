"""What every page of ours is made of: a component in the browser that is handed things and sends others. Pages: their modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from pydantic import BaseModel, ValidationError

from bot.errors import ConfigError, StoreError, UserError
from bot.translation import reader, reading, tr
from bot.web.served import address, imported

T = TypeVar("T", bound=BaseModel)
Act = Callable[[T], Awaitable[None]]

log = structlog.get_logger(__name__)


class View(Element):
    """A page in the browser; its script is named by the subclass, and all that this needs is asked for at once."""

    def __init__(self) -> None:
        super().__init__()
        assert self.component is not None
        ahead = "".join(f'<link rel="modulepreload" href="{address(name)}">' for name in imported(self.component.path.name))
        ui.add_head_html(ahead)

    def take(self, kind: str, **content: Any) -> None:
        """Hands something over, in order."""
        self.run_method("take", {"kind": kind, **content})

    def hear(self, event: str, kind: type[T], act: Act[T]) -> None:
        """Does `act` with what the page sends under that name.

        It is checked like anything from outside; what goes wrong is told to the person. A `nonce` that came along goes back, so that the
        page knows what of it failed.
        """

        words = reading()

        async def handle(event: GenericEventArguments) -> None:
            with reader(words):  # what comes over the socket comes in a task of its own
                await _heard(self, event, kind, act)

        self.on(event, handle)


def styled(*sheets: str) -> None:
    """Has the page that is being made begin with the colours that its person chose, and these styles."""
    links = "".join(f'<link rel="stylesheet" href="{address(f"{sheet}.css")}">' for sheet in ("base", *sheets))
    ui.add_head_html(f'<script src="{address("theme.js")}"></script>{links}')


async def _heard(view: View, event: GenericEventArguments, kind: type[T], act: Act[T]) -> None:
    nonce = event.args.get("nonce", "") if isinstance(event.args, dict) else ""
    try:
        await act(kind.model_validate(event.args))
    except (UserError, ConfigError) as error:  # the latter where an operator writes one
        view.take("sorry", text=str(error), nonce=nonce)
    except StoreError:
        view.take("sorry", text=tr("Hobnob cannot reach its store right now. Try again in a moment."), nonce=nonce)
    except ValidationError as error:
        log.warning("a page sent something else than expected", faults=error.error_count())
        view.take("sorry", text=tr("This page is out of step with Hobnob: load it anew."), nonce=nonce)
