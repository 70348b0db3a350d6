"""Reads the words of one PDF in a process that can do nothing but read its input. What starts and watches it: `papers.py`.

It imports the standard library only, and pypdf once the limits stand.
"""

from __future__ import annotations

import codecs
import io
import json
import pkgutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bot.confining import ordered, shut

if TYPE_CHECKING:
    from pypdf import PdfReader

ENCODINGS = ("ascii", "charmap", "latin-1", "utf-8", "utf-16", "utf-16-be", "utf-16-le", "gb2312", "gbk", "gb18030", "cp932", "cp950")
"""What fonts of PDFs name; Python opens a file for each when it meets it first."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do and within which limits. `library` is the folder that pypdf lies in.

    `letters` and `pages` are the most that are read; `size` and `memory` are in bytes, `cpu` in seconds.
    """

    library: str
    letters: int
    pages: int
    size: int
    cpu: int
    memory: int


def load() -> None:
    """Loads all that a PDF may want, and lets nothing be opened from then on."""
    import pypdf

    for module in pkgutil.walk_packages(pypdf.__path__, "pypdf."):
        with suppress(ImportError):  # parts of it want libraries that are not here
            import_module(module.name)
    for name in ENCODINGS:
        codecs.lookup(name)
    shut()


def opened(content: bytes) -> PdfReader:
    """The document. Raises ValueError with the word that `papers.py` has a sentence for."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        found = PdfReader(io.BytesIO(content))
        locked = found.is_encrypted and not found.decrypt("")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, NotImplementedError) as error:
        raise ValueError("damaged") from error
    if locked:
        raise ValueError("locked")
    return found


def words(found: PdfReader, order: Order) -> tuple[str, int]:
    """The text of the first pages, and how many they are; one that cannot be read is left out, as every viewer does."""
    said, left, read = [], order.letters, 0
    for page in found.pages[: order.pages]:
        if left <= 0:
            break
        try:
            text = page.extract_text().strip()
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception:  # a program of a stranger's in a format with a thousand ways to be wrong
            text = ""
        said.append(text[:left])
        left -= len(text)
        read += 1
    return "\n\n".join(filter(None, said)), read


def answer(order: Order) -> dict[str, Any]:
    """What there is to say. Raises ValueError, or MemoryError where the file wants too much."""
    content = sys.stdin.buffer.read(order.size + 1)
    if not content or len(content) > order.size:
        raise ValueError("large" if content else "empty")
    found = opened(content)
    text, read = words(found, order)
    if not text:
        raise ValueError("wordless")
    return {"text": text, "read": read, "pages": len(found.pages)}


def main() -> None:
    """Reads the order from the command line and the file from standard input; writes JSON."""
    order = ordered(Order)
    load()
    try:
        said = answer(order)
    except ValueError as fault:
        said = {"fault": str(fault)}
    except MemoryError:
        said = {"fault": "heavy"}
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
