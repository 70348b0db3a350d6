"""Writes docs/reference.md: every public name with what it takes and what it is for, from the code. `--check` only compares."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

from bot import errors
from tools.api import ROOT, declared

TARGET = ROOT / "docs/reference.md"

CHAPTERS: Mapping[str, str] = {
    "context": "Context",
    "messages": "Messages and their parts",
    "replies": "Replies",
    "membership": "The bot in a server",
    "forms": "Buttons, menus and forms",
    "routes": "Routes and tools",
    "jobs": "Jobs and results",
    "turns": "Turns of a conversation",
    "models": "Models",
    "asking": "Asking another program",
    "acts": "What acts give back",
    "connector": "Connectors",
    "knowing": "What a connector knows of a server",
    "translation": "Languages",
    "events": "Events",
    "choices": "What a server chose",
    "shapes": "What a setting takes",
    "permissions": "Who may do what",
    "quotas": "How much somebody may use",
    "personal": "What is kept of a person",
    "house": "What holds everywhere",
    "traces": "The path of a message",
    "catalogue": "The catalogue of models",
    "image_facts": "What is known of a model that draws",
    "numbers": "What a processor computes with",
    "hookspecs": "Marks",
}
"""By the module in which a name is at home, in the order of the page."""

HEAD = """# Reference

Every name that `from bot import …` gives, as the code says it; written by `python -m tools.reference`.
How to use them: [How to …](howto.md), [Writing plugins](plugins.md).
"""


def page() -> str:
    """The whole file."""
    homes: dict[str, list[tuple[str, ast.stmt]]] = {}
    for name, (home, node) in sorted(declared().items()):
        homes.setdefault(home, []).append((name, node))
    parts = [HEAD, *_hooks(), *_errors()]
    for home, title in CHAPTERS.items():
        parts += [f"## {title}\n", *(part for name, node in homes.pop(home, []) for part in _entry(name, node))]
    homes.pop("errors", None)
    assert not homes, f"expected a chapter for {', '.join(homes)}"
    return "\n".join(parts)


def _hooks() -> Iterator[str]:
    yield "## Hooks\n"
    tree = ast.parse((ROOT / "bot/hookspecs.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"### {node.name}\n\n```python\n{_signature(node)}\n```\n\n{_doc(node)}\n"


def _errors() -> Iterator[str]:
    head, _, tree = (errors.__doc__ or "").partition("\n\n")
    yield f"## Errors\n\n{head}\n\n```text\n{tree.strip()}\n```\n"


def _entry(name: str, node: ast.stmt) -> Iterator[str]:
    yield f"### {name}\n"
    match node:
        case ast.ClassDef():
            code, members = _fields(node), [*_methods(node)]
            yield f"```python\n{code}\n```\n\n{_doc(node)}\n" if code else f"{_doc(node)}\n"
            yield from members
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield f"```python\n{_signature(node)}\n```\n\n{_doc(node)}\n"
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            yield f"```python\n{name} = {ast.unparse(value)}\n```\n"


def _fields(node: ast.ClassDef) -> str:
    """The class as it is written, without its methods."""
    lines = [f"class {node.name}({', '.join(map(ast.unparse, node.bases))}):".replace("():", ":")]
    for inner in node.body:
        if isinstance(inner, ast.AnnAssign) and not ast.unparse(inner.target).startswith("_"):
            lines.append(f"    {ast.unparse(inner)}")
        elif isinstance(inner, ast.Expr) and len(lines) > 1 and isinstance(inner.value, ast.Constant):
            lines[-1] += "  # " + " ".join(str(inner.value.value).split())
    return "\n".join(lines) if len(lines) > 1 else ""


def _methods(node: ast.ClassDef) -> Iterator[str]:
    for inner in node.body:
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) or (inner.name.startswith("_") and inner.name != "__init__"):
            continue
        if words := _doc(inner):
            yield f"`{_signature(inner, node.name)}`\n:   {words}\n"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str = "") -> str:
    word = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    takes = ast.unparse(node.args).removeprefix("self, ").removeprefix("self").removeprefix("cls, ")
    gives = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    if any(ast.unparse(one) == "property" for one in node.decorator_list):
        return f"{node.name}{gives.replace(' -> ', ': ')}"
    if owner and node.name == "__init__":
        return f"{owner}({takes})"
    return f"{word}{node.name if owner else f'def {node.name}'}({takes}){gives}"


def _doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text(encoding="utf-8") == page() else f"{TARGET} is out of date: run `python -m tools.reference`")
    TARGET.write_text(page(), encoding="utf-8")
