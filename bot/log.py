"""How the log looks: JSON or lines for people, each with its correlation id, without secrets or chatter. What is logged: everywhere else.

The correlation id is the context variable `ref` of structlog (`bound_contextvars(ref=…)`): what is logged within it carries it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Iterable
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, SecretStr

from bot.config import LogTable

HIDDEN = "[hidden]"

SHORTEST = 4
"""Characters of the shortest secret that is looked for; hiding each "a" would hide the log."""

TOKENS = re.compile(
    r"(?P<discord>\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,})"
    r"|(?P<webhook>(?<=/api/webhooks/)\d+/[\w-]+)"
    r"|(?P<telegram>(?:(?<=bot)|\b)\d{8,10}:[\w-]{35}\b)"
    r"|(?P<hub>\bhf_[A-Za-z0-9]{16,})"
    r"|(?P<bearer>(?<=Bearer )[\w.~+/-]{8,}=*)"
    r"|(?P<password>(?<=://)[^\s/@\"']*:[^\s/@\"']+(?=@))"
    r"|(?P<link>(?<=[?&]token=)[\w-]+)"
)
"""What the secrets of Discord, Telegram, model hubs, HTTP and our own one-time links look like."""

QUIET = (
    "asyncio",
    "httpcore",
    "httpx",
    "nicegui",
    "engineio",
    "socketio",
    "uvicorn",
    "watchfiles",
    "PIL",
    "transformers",
    "faster_whisper",
)
"""Libraries whose everyday business is not ours; their warnings are."""


class Redaction:
    """Replaces what looks like a token, and the secrets it was given, in finished lines: tracebacks included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return TOKENS.sub(HIDDEN, text)


class Recent(logging.Handler):
    """Has the newest lines, as programs read them, until somebody takes them: what nobody takes in time is in the log alone."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=most)

    def emit(self, record: logging.LogRecord) -> None:
        """Adds one."""
        try:
            self._lines.append(self.format(record))
        except Exception:  # as every handler does
            self.handleError(record)

    def take(self) -> list[str]:
        """All of them, once."""
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken

    def put_back(self, lines: Iterable[str]) -> None:
        """What could not be used yet; the oldest go when there are too many."""
        free = (self._lines.maxlen or 0) - len(self._lines)
        self._lines.extendleft(reversed(list(lines)[-free:] if free > 0 else []))


class Lines(logging.Formatter):
    """Renders the records of structlog and of libraries alike, then redacts."""

    def __init__(self, renderer: structlog.typing.Processor, redact: Redaction, process: str) -> None:
        super().__init__()
        self._inner = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_before(process),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.EventRenamer("message"), renderer],
        )
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """One line, or one line and a traceback."""
        return self._redact(self._inner.format(record))


def setup(
    table: LogTable, secrets: Iterable[str] = (), *, process: str = "", stream: TextIO | None = None, recent: Recent | None = None
) -> None:
    """Sets the process's log up, once; `process` is named on each line. Everything goes to `stream`, else to standard error.

    It goes to `recent` too, where there is one.
    """
    target = stream or sys.stderr
    people = table.format == "console" or (table.format == "auto" and target.isatty())
    handler = logging.StreamHandler(target)
    redact = Redaction(secrets)
    handler.setFormatter(Lines(_for_people(target) if people else _for_programs(), redact, process))
    root = logging.getLogger()
    root.handlers = [handler]
    if recent is not None:
        recent.setFormatter(Lines(_for_programs(), redact, process))
        root.addHandler(recent)
    root.setLevel(table.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_before(process),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def secrets_of(*configs: BaseModel) -> list[str]:
    """Every secret in these, however deep, and the password within one that is a URL."""
    found: list[str] = []
    for value in _values(configs):
        if isinstance(value, SecretStr) and value.get_secret_value():
            secret = value.get_secret_value()
            found.append(secret)
            if "://" in secret and (password := urlsplit(secret).password):
                found.append(password)
    return found


def _values(value: object) -> Iterable[object]:
    match value:
        case BaseModel():
            inner: Iterable[object] = [getattr(value, name) for name in type(value).model_fields]
        case dict():
            inner = value.values()
        case list() | tuple() | set() | frozenset():
            inner = value
        case _:
            inner = ()
            yield value
    for one in inner:
        yield from _values(one)


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as JSON writes it."""
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def _before(process: str) -> list[structlog.typing.Processor]:
    def named(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {**event, "process": process} if process else event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
    ]


def _for_programs() -> structlog.typing.Processor:
    dump = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    traceback = structlog.processors.format_exc_info

    def render(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
        return str(dump(logger, method, traceback(logger, method, event)))

    return render


def _for_people(target: TextIO) -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=target.isatty(), event_key="message", exception_formatter=structlog.dev.plain_traceback)
