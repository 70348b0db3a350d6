"""Whether somebody answers what a command asks, and what is said where nobody does. What is asked: each command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bot.errors import UserError


def somebody() -> bool:
    """Whether the input is a terminal; it may be closed, too."""
    return sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def answered(instead: str) -> Iterator[None]:
    """Questions, whose answers may come from a file. Raises UserError with what to do `instead` where that ends before they do."""
    try:
        if sys.stdin is None:
            raise typer.Abort
        yield
    except typer.Abort:
        if somebody():  # who said Ctrl-C
            raise
        typer.echo()
        raise UserError(f"nobody answers here, and nothing was changed. {instead}") from None
