"""How the operator gets in and lets others in: a password, links for guests and for operators. What these do: `entrance.py`."""

from __future__ import annotations

from nicegui import ui
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import Request

from bot.errors import Unavailable
from bot.store.sessions import GUEST, OPERATOR, Sessions
from bot.translation import tr
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.passwords import LONGEST, SHORTEST, Passwords
from bot.web.view import View
from bot.web.visitors import OPERATOR as HERE
from bot.web.visitors import Visitors


class AccessView(View, component="../static/access.js"):
    """Access in the browser."""


class Choosing(BaseModel):
    """The operator chooses a password, "" for none."""

    password: SecretStr = Field(max_length=2000)
    nonce: str = ""


class Inviting(BaseModel):
    """The operator wants a link for somebody."""

    operator: bool
    nonce: str = ""


class AccessPage:
    """One tab of it."""

    def __init__(self, made: Desk, sessions: Sessions, passwords: Passwords) -> None:
        self._made = made
        self._sessions = sessions
        self._passwords = passwords
        made.hear("hello", Nothing, self.show)
        made.hear("choose", Choosing, self.choose)
        made.hear("invite", Inviting, self.invite)

    async def show(self, _: Nothing) -> None:
        """Whether there is a password; never which."""
        self._made.view.take("seen", seen={"password": bool(await self._sessions.password()), "shortest": SHORTEST, "longest": LONGEST})

    async def choose(self, given: Choosing) -> None:
        """From now on it is this one; who is signed in stays so."""
        await self._passwords.change(given.password.get_secret_value())
        await self.show(Nothing())
        self._made.view.take("chosen", any=bool(given.password.get_secret_value()))

    async def invite(self, given: Inviting) -> None:
        """A link that works once, within a day."""
        address = await self._sessions.served()
        if address is None:
            raise Unavailable(tr("It is not known yet where these pages are. Try again in a moment."))
        made = await self._sessions.link(address, OPERATOR if given.operator else GUEST)
        self._made.view.take("link", link=made, operator=given.operator)


def access_page(sessions: Sessions, passwords: Passwords, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""

    @ui.page(f"{HERE}/access")
    async def show(request: Request) -> None:
        AccessPage(desk(AccessView(), visitors, request, "operator", links), sessions, passwords)
