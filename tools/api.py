"""Writes docs/api.txt: the public API, `bot.__all__`, as a release leaves it, line by line. `--check` says what has changed since.

A change is announced in CHANGELOG.md, under "Unreleased", by its name in backticks. What was changed or taken away since a release
breaks plugins that people have written, and takes a new `API` in `bot/discovery.py` too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import bot
from bot.discovery import API

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs/api.txt"

SPOKEN = {"__init__", "__call__", "__iter__", "__aenter__"}
"""Of the methods that begin with an underscore, those that others call."""


def snapshot() -> str:
    """The whole file."""
    return f"# Hobnob {bot.__version__}, api = {API}. Written by `python -m tools.api` at a release.\n" + "".join(
        f"{line}\n" for line in lines()
    )


def lines() -> list[str]:
    """One for each name, field, method and parameter, sorted by name."""
    return [line for name, (_, node) in sorted(declared().items()) for line in _lines(name, node)]


def faults(before: str, now: list[str], changelog: str) -> list[str]:
    """Changes since the snapshot that nobody announced, or that break what is written for its `api`; none before that release is out."""
    head, *old = before.splitlines()
    version, api = re.findall(r"Hobnob ([\w.]+), api = (\d+)", head)[0]
    if f"## {version}" not in changelog:
        return []
    known, unreleased = set(old), changelog.partition("## Unreleased")[2].partition("\n## ")[0]
    gone, new = [line for line in old if line not in set(now)], [line for line in now if line not in known]
    breaking = {*gone, *(line for line in new if _demands(line, known))}
    found = [f"{line}: {'gone' if line in gone else 'new'}, and not announced" for line in (*gone, *new) if not _named(line, unreleased)]
    if int(api) == API:
        found += [f"{line}: breaks plugins that are written for api = {api}" for line in (*gone, *new) if line in breaking]
    return found


def declared() -> dict[str, tuple[str, ast.stmt]]:
    """Every public name, with the module in which it is at home, and how it is written there."""
    found: dict[str, tuple[str, ast.stmt]] = {}
    for home in bot._HOMES:
        for node in ast.parse((ROOT / f"bot/{home}.py").read_text(encoding="utf-8")).body:
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                    found.setdefault(name, (home, node))
                case ast.Assign(targets=[ast.Name(id=name)]):
                    found.setdefault(name, (home, node))
    return {name: found[name] for name in bot.__all__}


def _lines(name: str, node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.ClassDef(bases=bases):
            yield f"class {name}({', '.join(map(ast.unparse, bases))})"
            for inner in node.body:
                yield from _member(name, inner)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _function(name, node)
        case ast.Assign(value=value):
            yield f"{name} = {ast.unparse(value)}"


def _member(owner: str, node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            yield f"{owner}.{name}: {ast.unparse(node.annotation)}" + (f" = {ast.unparse(node.value)}" if node.value else "")
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if not name.startswith("_") or name in SPOKEN:
            yield from _function(f"{owner}.{name}", node)


def _function(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    kinds = "".join(f"@{name} " for name in map(ast.unparse, node.decorator_list) if name in ("property", "classmethod", "staticmethod"))
    waits = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    yield f"{kinds}{waits}{name} -> {ast.unparse(node.returns) if node.returns else 'Any'}"
    given = node.args
    placed = [*given.posonlyargs, *given.args]
    for argument, default in zip(placed, [None] * (len(placed) - len(given.defaults)) + list(given.defaults), strict=True):
        if argument.arg not in ("self", "cls"):
            yield _parameter(name, argument, default)
    yield from (_parameter(name, one, None, mark) for one, mark in ((given.vararg, "*"), (given.kwarg, "**")) if one)
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(name, argument, default, "*, ")


def _parameter(function: str, argument: ast.arg, default: ast.expr | None, mark: str = "") -> str:
    annotation = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    return f"{function}({mark}{argument.arg}{annotation}{f' = {ast.unparse(default)}' if default else ''})"


def _demands(line: str, known: set[str]) -> bool:
    """Whether a new line asks for something that whoever knew its function or class does not give."""
    owner = re.split(r"[.(: ]", line.removeprefix("class "))[0]
    declared = next((one for one in known if one.startswith(f"class {owner}(")), "")
    if "Protocol" in declared:
        return True
    function = re.match(r"([\w.]+)\((?!\*\w|\*\*)", line)
    if function:
        return " = " not in line and any(re.search(rf"(^| ){re.escape(function[1])} -> ", one) for one in known)
    return bool(declared) and re.match(r"[\w.]+: ", line) is not None and " = " not in line


def _named(line: str, text: str) -> bool:
    words = re.findall(r"\w+", re.sub(r"^(@\w+ |async |class )*", "", line))
    return any(re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", text) for word in words[:2])


def main(arguments: list[str]) -> int:
    """0 when nothing was changed unannounced, or the file is written."""
    if "--check" not in arguments:
        TARGET.write_text(snapshot(), encoding="utf-8")
        return 0
    found = faults(TARGET.read_text(encoding="utf-8"), lines(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    sys.stderr.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
