"""Pages that hold a sentence or two: no session, a link that was used, no such page, the store is away. The room's page is in `room.py`."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
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
    status: int, title: str, *paragraphs: str, refresh: int = 0, home: bool = False, login: bool = False, form: str = ""
) -> HTMLResponse:
    """A page with a title and plain paragraphs. `refresh` in seconds loads it again, 0 does not; `home` and `login` add links there."""
    links = (("/", "To the room"), ("/login", "I run it and have a password"))
    shown = [f'<a href="{path}">{words}</a>' for (path, words), wanted in zip(links, (home, login), strict=True) if wanted]
    body = "\n".join([*(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs), form, *(f"<p>{one}</p>" for one in shown)])
    again = f'\n<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return HTMLResponse(_PAGE.format(title=escape(title), body=body, refresh=again), status, {"Cache-Control": "no-store"})


def password_form(wrong: bool = False) -> HTMLResponse:
    """Asks for the operator's password."""
    said = '<p class="fault" role="alert">That is not the password.</p>' if wrong else ""
    form = f"""<form method="post" action="/login">
<input type="text" name="username" value="operator" autocomplete="username" hidden>
<input type="password" name="password" autocomplete="current-password" aria-label="Password" placeholder="Password" required autofocus>
{said}<button type="submit" class="go">Come in</button>
</form>"""
    return notice(403 if wrong else 200, "Your Hobnob", "With the password that you chose.", form=form)


ASK_FOR_A_LINK = notice(
    401,
    "You need a link",
    "This Hobnob is private. A link that works once lets your browser in.",
    "Hobnob prints one in its terminal each time it starts, and “hobnob link” prints another. If somebody else runs it, ask them.",
    login=True,
)
NOT_YOURS = notice(403, "This is not for you", "Only whoever runs this Hobnob may see this page.", home=True, login=True)
SERVER_CLOSED = notice(
    401,
    "Ask for a link in your chat",
    "This page is for the admins of a server, for two hours at a time.",
    "Say /dashboard to the bot in the server that you look after. It answers with a link for you alone.",
)
NO_PASSWORD = notice(
    404,
    "There is no password",
    "Whoever runs this Hobnob comes in with a link, which “hobnob link --operator” prints, and can choose a password then.",
)
TOO_OFTEN = notice(429, "Too many tries", "Wait a quarter of an hour, then try again.")
USED = notice(
    403,
    "This link was used",
    "A link lets one browser in, once, and only within a day.",
    "Hobnob prints a new one in its terminal each time it starts, and so does “hobnob link”. If somebody else runs it, ask them.",
)
NOWHERE = notice(404, "There is no such page", "The address may be mistyped, or from another version of Hobnob.", home=True)
AWAY = notice(503, "One moment", "Hobnob cannot reach its store. This page tries again by itself.", refresh=2)
