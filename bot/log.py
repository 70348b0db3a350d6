"""How the log looks: JSON or lines for people, each with its correlation id, without secrets or chatter. What is logged: everywhere else.

The correlation id is the context variable `ref` of structlog (`bound_contextvars(ref=…)`): what is logged within it carries it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, SecretStr

from bot.config import LogTable

HIDDEN = "[hidden]"

LEVELS = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}

Render = Callable[[structlog.typing.EventDict], str]
"""Makes a line of what is said, without secrets."""

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

SIGNS = re.compile(r"\.[\w-]{6,7}\.[\w-]{27}|:[\w-]{35}|hf_|Bearer |://|/api/webhooks/|\?token=|&token=")
"""What each of them has in it or before it, and hardly a line has: to look for these takes 1.4 µs of one, for the secrets themselves 37."""

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
        return TOKENS.sub(HIDDEN, text) if SIGNS.search(text) else text


class Output(logging.Handler):
    """Takes finished lines; `render` makes them, of what libraries log and of what we say."""

    render: Render

    def put(self, line: str) -> None:
        """Adds one."""
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """What a library logs."""
        try:
            self.put(self.format(record))
        except Exception:  # as every handler does
            self.handleError(record)


class Written(Output):
    """Writes them to a stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def put(self, line: str) -> None:
        """Adds one, at once."""
        self._stream.write(f"{line}\n")
        self._stream.flush()


class Recent(Output):
    """Has the newest lines, as programs read them, until somebody takes them: what nobody takes in time is in the log alone."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=most)

    def put(self, line: str) -> None:
        """Adds one."""
        self._lines.append(line)

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


class Sink:
    """Takes what we say ourselves past `logging`, whose records, handlers and formatters took two thirds of a line; the outputs are those
    that are set up there. What several of them render alike is rendered once.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._root = logging.getLogger()

    def say(self, **event: Any) -> None:
        """One line, or one line and a traceback."""
        lines: dict[Render, str] = {}
        for output in self._root.handlers:
            if isinstance(output, Output):
                try:
                    if output.render not in lines:
                        lines[output.render] = output.render({**event})
                    with output.lock or nullcontext():
                        output.put(lines[output.render])
                except Exception:  # as every handler does
                    output.handleError(logging.makeLogRecord({"msg": event.get("message")}))

    debug = info = warning = error = critical = say


class Lines(logging.Formatter):
    """Makes what libraries log look like what we say."""

    def __init__(self, render: Render, process: str) -> None:
        super().__init__()

        def rendered(_: Any, __: str, event: structlog.typing.EventDict) -> str:
            return render(event)

        meta, named = structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.EventRenamer("message")
        self._inner = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_before(process), processors=[meta, named, rendered])

    def format(self, record: logging.LogRecord) -> str:
        """One line, or one line and a traceback."""
        return self._inner.format(record)


def setup(
    table: LogTable, secrets: Iterable[str] = (), *, process: str = "", stream: TextIO | None = None, recent: Recent | None = None
) -> None:
    """Sets the process's log up, once; `process` is named on each line. Everything goes to `stream`, else to standard error.

    It goes to `recent` too, where there is one.
    """
    target, redact = stream or sys.stderr, Redaction(secrets)
    people = table.format == "console" or (table.format == "auto" and target.isatty())
    programs, written, root = _for_programs(redact), Written(target), logging.getLogger()
    written.render = _for_people(target, redact) if people else programs
    root.handlers = [written]
    if recent is not None:
        recent.render = programs
        root.addHandler(recent)
    for output in (written, recent):
        if output is not None:
            output.setFormatter(Lines(output.render, process))
    root.setLevel(table.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            _audible,
            *_before(process),
            structlog.processors.EventRenamer("message"),
        ],
        logger_factory=Sink,
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


def _audible(_: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What is below the level of the log goes nowhere."""
    if not logging.getLogger().isEnabledFor(LEVELS[method]):
        raise structlog.DropEvent
    return event


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


def _for_programs(redact: Redaction) -> Render:
    dump, traceback = json.JSONEncoder(ensure_ascii=False, default=str).encode, structlog.processors.format_exc_info
    return lambda event: redact(dump(traceback(None, "", event)))


def _for_people(target: TextIO, redact: Redaction) -> Render:
    plain = structlog.dev.plain_traceback
    shown = structlog.dev.ConsoleRenderer(colors=target.isatty(), event_key="message", exception_formatter=plain)
    return lambda event: redact(shown(None, "", event))
