"""Pages that hold a sentence or two: no session, a link that was used, no such page, the store is away. The room's page is in `room.py`."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

from bot.translation import reading, tr

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}
<title>{title} · Hobnob</title>
<link rel="icon" href="/static/hobnob.svg">
<link rel="stylesheet" href="/static/base.css">
<script src="/static/theme.js"></script>
</head>
<body class="notice">
<main class="card">
<img src="/static/hobnob.svg" alt="" width="56" height="56">
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def notice(
    status: int,
    title: str,
    *paragraphs: str,
    refresh: int = 0,
    home: bool = False,
    server: bool = False,
    login: bool = False,
    form: str = "",
) -> HTMLResponse:
    """A page with a title and plain paragraphs. `refresh` in seconds loads it again, 0 does not; `home`, `server` and `login` add links."""
    links = {"/": (home, tr("To the room")), "/server": (server, tr("Your servers")), "/login": (login, tr("I run it and have a password"))}
    shown = [f'<a href="{path}">{words}</a>' for path, (wanted, words) in links.items() if wanted]
    body = "\n".join([*(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs), form, *(f"<p>{one}</p>" for one in shown)])
    again = f'\n<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return HTMLResponse(
        _PAGE.format(lang=reading().tag, title=escape(title), body=body, refresh=again), status, {"Cache-Control": "no-store"}
    )


def password_form(wrong: bool = False) -> HTMLResponse:
    """Asks for the operator's password."""
    password = escape(tr("Password"))
    said = f'<p class="fault" role="alert">{escape(tr("That is not the password."))}</p>' if wrong else ""
    form = f"""<form method="post" action="/login">
<input type="text" name="username" value="operator" autocomplete="username" hidden>
<input type="password" name="password" autocomplete="current-password" aria-label="{password}" placeholder="{password}" required autofocus>
{said}<button type="submit" class="go">{escape(tr("Come in"))}</button>
</form>"""
    return notice(403 if wrong else 200, tr("Your Hobnob"), tr("With the password that you chose."), form=form)


def ask_for_a_link() -> HTMLResponse:
    """For a browser without a session."""
    return notice(
        401,
        tr("You need a link"),
        tr("This Hobnob is private. A link that works once lets your browser in."),
        tr("Hobnob prints one in its terminal each time it starts, and “hobnob link” prints another. If somebody else runs it, ask them."),
        login=True,
    )


def not_yours() -> HTMLResponse:
    """For somebody who is let in, but not there."""
    return notice(403, tr("This is not for you"), tr("Only whoever runs this Hobnob may see this page."), home=True, login=True)


def server_closed() -> HTMLResponse:
    """For a server's page, without a session of its admins."""
    return notice(
        401,
        tr("Ask for a link in your chat"),
        tr("This page is for the admins of a server, for two hours at a time."),
        tr("Say /dashboard to the bot in the server that you look after. It answers with a link for you alone."),
    )


def no_password() -> HTMLResponse:
    """Instead of the form, where none was chosen."""
    return notice(
        404,
        tr("There is no password"),
        tr("Whoever runs this Hobnob comes in with a link, which “hobnob link --operator” prints, and can choose a password then."),
    )


def too_often() -> HTMLResponse:
    """For an address that guesses."""
    return notice(429, tr("Too many tries"), tr("Wait a quarter of an hour, then try again."))


def used(server: bool = False) -> HTMLResponse:
    """For a link that lets nobody in any more; `server` is for a browser that was let in to its servers before."""
    return notice(
        403,
        tr("This link was used"),
        tr("A link lets one browser in, once, and only within a day."),
        tr("Hobnob prints a new one in its terminal each time it starts, and so does “hobnob link”. If somebody else runs it, ask them."),
        tr("Whoever looks after a server says /dashboard in its chat again."),
        server=server,
    )


def nowhere() -> HTMLResponse:
    """For an address that is none of ours."""
    return notice(404, tr("There is no such page"), tr("The address may be mistyped, or from another version of Hobnob."), home=True)


def away() -> HTMLResponse:
    """While the store cannot be reached."""
    return notice(503, tr("One moment"), tr("Hobnob cannot reach its store. This page tries again by itself."), refresh=2)
