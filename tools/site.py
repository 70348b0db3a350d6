"""Builds the documentation's site into build/site; dead links are errors. What is in it: docs/mkdocs.yml, and what pages link to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STAGE = ROOT / "build/docs"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


def linked() -> set[Path]:
    """The pages of docs/ and whatever can be reached from them, by their paths here: other pages, code, READMEs of plugins."""
    found: set[Path] = set()
    left = [Path("README.md"), *(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))]
    while left:
        page = left.pop()
        if page in found or not (ROOT / page).is_file():
            continue
        found.add(page)
        if page.suffix == ".md":
            left += [_plain(page.parent / target) for target in LINK.findall((ROOT / page).read_text(encoding="utf-8"))]
    return found


def _plain(path: Path) -> Path:
    return (ROOT / path).resolve().relative_to(ROOT.resolve())


def main() -> int:
    """The exit code of the builder."""
    shutil.rmtree(STAGE, ignore_errors=True)
    for path in linked():
        target = STAGE / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    shutil.copyfile(ROOT / "docs/mkdocs.yml", STAGE / "mkdocs.yml")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", str(STAGE / "mkdocs.yml")]
    return subprocess.run(command, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
