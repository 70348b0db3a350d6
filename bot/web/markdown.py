"""Turns what people and the bot write into HTML that can do no harm: no raw HTML, no pictures from elsewhere. How it looks: `room.css`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from urllib.parse import urlsplit

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_all_lexers, get_lexer_by_name

from bot.markup import parser
from bot.translation import tr

SCHEMES = ("http", "https", "mailto")
REMEMBERED = 1024
"""Texts whose HTML is remembered, because every open tab shows the same ones."""

MOST_COLOURED = 2_000
"""Characters of code that are coloured in one message, those of a language that is slow counted twice; the rest stays plain.

Lexers take the square of the length on hostile text, and everybody waits meanwhile: this is under 0.1 s for all of these.
"""

_SCRIPTS = ("Python", "Python Traceback", "Python console session", "JavaScript", "JSX", "Ruby", "PHP", "Perl", "Lua", "Bash", "PowerShell")
_COMPILED = ("TypeScript", "TSX", "Kotlin", "Go", "Rust", "Swift", "Haskell")
_PLAIN = ("JSON", "YAML", "TOML", "HTML", "XML", "CSS", "SCSS", "SQL", "Diff", "Docker", "Nginx configuration file")
QUICK = _SCRIPTS + _COMPILED + _PLAIN
SLOW = ("C", "C++", "Java", "Makefile", "Bash Session", "Markdown", "INI")

_URL = r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_~]"


class Markdown:
    """Renders Markdown; names behind an @ stand out."""

    def __init__(self) -> None:
        self._parser = parser(breaks=True).disable("image")
        self._parser.validateLink = _safe_link  # type: ignore[method-assign]  # the way the library offers
        self._parser.core.ruler.push("lively", _lively)
        self._parser.add_render_rule("fence", _fence)
        self._parser.add_render_rule("code_block", _fence)
        self._parser.add_render_rule("link_open", _link)
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._render)

    def render(self, text: str, names: tuple[str, ...] = ()) -> str:
        """As HTML, its button in the reader's language."""
        return self._remembered(text, names, tr("Copy"))

    def _render(self, text: str, names: tuple[str, ...], copy: str) -> str:
        return str(self._parser.render(text, {"names": names, "copy": copy, "colours": MOST_COLOURED}))


def _safe_link(url: str) -> bool:
    return urlsplit(url).scheme.lower() in SCHEMES


def _link(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noopener noreferrer nofollow")
    return str(renderer.renderToken(tokens, at, options, env))


def _fence(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    language = (tokens[at].info or "").strip().split(" ")[0][:24]
    copy = f'<button type="button" data-copy>{escapeHtml(env["copy"])}</button>'
    head = f'<div class="code-head"><span>{escapeHtml(language or "text")}</span>{copy}</div>'
    return f'<div class="code">{head}<pre tabindex="0"><code>{_coloured(tokens[at].content, language, env)}</code></pre></div>\n'


def _coloured(code: str, language: str, env: EnvType) -> str:
    factor = _costs().get(language.lower())
    if factor is None or len(code) * factor > env["colours"]:
        return escapeHtml(code)
    env["colours"] -= len(code) * factor
    return str(highlight(code, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True, classprefix="hl-")))


@cache
def _costs() -> dict[str, int]:
    """What a character costs, by every word that stands for a language."""
    factors = {**dict.fromkeys(QUICK, 1), **dict.fromkeys(SLOW, 2)}
    return {word: factors[name] for name, words, *_ in get_all_lexers(plugins=False) if name in factors for word in words}


def _lively(state: StateCore) -> None:
    """Makes links of bare addresses, and marks of names behind an @, wherever a text is not part of a link already."""
    names = sorted(state.env.get("names", ()), key=len, reverse=True)
    marks = "|".join(re.escape(name) for name in names)
    pattern = re.compile(rf"(?P<url>{_URL})" + (rf"|(?<![\w@])@(?:{marks})(?!\w)" if marks else ""), re.IGNORECASE)
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = list(_split(block.children, pattern))


def _split(tokens: Sequence[Token], pattern: re.Pattern[str]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("link_") else 0
        if token.type == "text" and not depth:
            yield from _pieces(token.content, pattern)
        else:
            yield token


def _pieces(text: str, pattern: re.Pattern[str]) -> Iterator[Token]:
    end = 0
    for found in pattern.finditer(text):
        yield _text(text[end : found.start()])
        if found["url"]:
            yield Token("link_open", "a", 1, attrs={"href": found.group()})
            yield _text(found.group())
            yield Token("link_close", "a", -1)
        else:
            yield Token("mark_open", "span", 1, attrs={"class": "mention"})
            yield _text(found.group())
            yield Token("mark_close", "span", -1)
        end = found.end()
    yield _text(text[end:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
