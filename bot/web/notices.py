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


def notice(status: int, title: str, *paragraphs: str, refresh: int = 0, home: bool = False) -> HTMLResponse:
    """A page with a title and plain paragraphs; `refresh` in seconds loads it again, 0 does not; `home` adds a link to the room."""
    body = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs) + ('\n<p><a href="/">To the room</a></p>' if home else "")
    again = f'\n<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return HTMLResponse(_PAGE.format(title=escape(title), body=body, refresh=again), status, {"Cache-Control": "no-store"})


ASK_FOR_A_LINK = notice(
    401,
    "You need a link",
    "This Hobnob is private. A link that works once lets your browser in.",
    "Hobnob prints one in its terminal each time it starts, and “hobnob link” prints another. If somebody else runs it, ask them.",
)
USED = notice(
    403,
    "This link was used",
    "A link lets one browser in, once, and only within a day.",
    "Hobnob prints a new one in its terminal each time it starts, and so does “hobnob link”. If somebody else runs it, ask them.",
)
NOWHERE = notice(404, "There is no such page", "The address may be mistyped, or from another version of Hobnob.", home=True)
AWAY = notice(503, "One moment", "Hobnob cannot reach its store. This page tries again by itself.", refresh=2)
