"""Markdown on the pages: pleasant to read, and nothing in it can do harm."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from pygments.lexers import find_lexer_class, get_all_lexers

from bot.web.markdown import MOST_COLOURED, QUICK, SLOW, Markdown

BLOCKS = {"p", "pre", "div", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
ALLOWED = BLOCKS | {"br", "strong", "em", "s", "code", "span", "button", "a", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"href", "title", "target", "rel", "class", "style", "type", "tabindex", "start", "data-copy"}

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![x](https://example.org/track.png)",
    "![x](x.png 'onerror=alert(1)')",
    '[x](https://example.org "onmouseover=alert(1)")',
    '[x](https://example.org/"onmouseover="alert(1))',
    'https://example.org/"onmouseover="alert(1)',
    "```<img src=x onerror=alert(1)>\n<b>\n```",
    '```"><script>\nx\n```',
    "    <script>indented</script>",
    "`<script>`",
    "@<b>Ann</b>",
    "[a]: javascript:alert(1)\n\n[a]",
    "| <script> | b |\n|---|---|\n| <img src=x> | [y](javascript:z) |",
    "\x00<script>\x00",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>]]>",
)


HOLDUPS = (
    *(("", "a"), ("a", " "), ("", " \n"), ("", "a\n"), ("a = ", "\t"), ("", '"\\'), ("", "'\\"), ("a", "a."), ("a", "a::")),
    *(("<?php ", "$"), ("<a ", "-"), ("<script>", "'\\"), ("", "**"), ("", "("), ("a = ", "<a")),
)
"""What the lexers of many languages take the square of its length for."""


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives(text: str) -> None:
    found = Tags()
    found.feed(Markdown().render(text, ("<b>Ann</b>",)))

    assert found.tags <= ALLOWED
    assert {name for name, _ in found.attributes} <= ATTRIBUTES
    assert all(value and value.startswith(("http://", "https://", "mailto:")) for name, value in found.attributes if name == "href")
    assert all(value and value.startswith("text-align:") for name, value in found.attributes if name == "style")


def test_a_link_opens_elsewhere_and_tells_nothing_of_where_it_came_from() -> None:
    html = Markdown().render("[a](https://example.org/)")

    assert html == '<p><a href="https://example.org/" target="_blank" rel="noopener noreferrer nofollow">a</a></p>\n'


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a?b=1&c=2.", "https://example.org/a?b=1&amp;c=2"),
        ("(https://example.org)", "https://example.org"),
        ("**https://example.org/x**", "https://example.org/x"),
    ],
)
def test_a_bare_address_becomes_a_link_without_what_follows_it(text: str, address: str) -> None:
    assert f'<a href="{address}" ' in Markdown().render(text)


def test_an_address_inside_a_link_makes_no_second_link() -> None:
    assert Markdown().render("[https://a.example](https://b.example)").count("<a ") == 1


def test_names_behind_an_at_sign_stand_out_whole_words_only() -> None:
    html = Markdown().render("@Ann and @Anna, me@ann.example `@Ann`", ("Ann",))

    assert html.count('<span class="mention">') == 1
    assert '<span class="mention">@Ann</span> and' in html


def test_code_is_coloured_and_an_unknown_language_is_plain() -> None:
    assert 'class="hl-k"' in Markdown().render("```python\ndef f(): ...\n```")
    assert "<code>def f(): ...\n</code>" in Markdown().render("```nonesuch\ndef f(): ...\n```")
    assert "<code></code>" in Markdown().render("```\n```")


def test_only_languages_and_lengths_whose_worst_case_is_short_are_coloured() -> None:
    line = "x = 1\n"
    whole = line * (MOST_COLOURED // len(line))

    assert "hl-" in Markdown().render(f"```py\n{whole}```")
    assert "hl-" not in Markdown().render(f"```py\n{whole}{line}```")
    assert "hl-" not in Markdown().render(f"```c\n{whole}```")
    assert "hl-" not in Markdown().render("```fan\nclass A {}\n```")
    assert Markdown().render(f"```py\n{whole}```\n" * 3).count('"hl-n"') == whole.count("x")


def test_every_language_that_is_coloured_exists() -> None:
    assert {name for name, *_ in get_all_lexers(plugins=False)} >= {*QUICK, *SLOW}


@pytest.mark.parametrize("language", [*QUICK, *SLOW])
def test_no_message_holds_everybody_up(language: str) -> None:
    """CPU time rather than the clock's; three times what was measured, for slower machines."""
    word = find_lexer_class(language).aliases[0]
    markdown, size = Markdown(), MOST_COLOURED // (1 + (language in SLOW)) - 8
    markdown.render(f"```{word}\nx\n```")
    for head, unit in HOLDUPS:
        began = time.process_time()
        markdown.render(f"```{word}\n{head}{(unit * size)[: size - len(head)]}\n```")
        assert time.process_time() - began < 0.3, (head, unit)


def test_tables_hold_nobody_up_however_many_a_message_has() -> None:
    """CPU time; 0.02 s were measured."""
    table = "|a" * 181 + "\n" + "|-" * 181 + "\n" + "a\n" * 360 + "\n"
    began = time.process_time()

    html = Markdown().render((table * 14)[:20_000])

    assert time.process_time() - began < 0.3
    assert "<td" not in html


def test_a_fence_that_is_still_being_written_is_code_already() -> None:
    assert "<pre" in Markdown().render("Here:\n\n```python\nx = 1")


def test_line_breaks_of_people_are_kept() -> None:
    assert "<br" in Markdown().render("one\ntwo")
