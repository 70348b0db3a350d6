"""A server's choices: which recordings become text here, and what happens with it. The operator's choices: `config.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

CODES = """
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it ja jw ka kk
km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg
th tk tl tr tt uk ur uz vi yi yo zh
"""

LANGUAGES = frozenset(CODES.split())
"""Every multilingual Whisper knows these (Javanese is `jw` there); Cantonese is known to the largest only."""


def _known(code: str) -> str:
    code = code.strip().lower()
    if code not in LANGUAGES:
        raise ValueError(f"expected the code of a language that Whisper knows, such as en, de or zh, found {code!r}")
    return code


class Settings(BaseModel):
    """Every field has a default; the operator may choose another in `[plugins.transcribe.defaults]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    voice_notes: bool = Field(default=True, title="Voice notes")
    """Notes that are recorded in the chat become text."""

    audio_files: bool = Field(default=True, title="Sound files")
    """Sound files that somebody sends become text, too."""

    forward: bool = Field(default=True, title="Answer what is said")
    """What is said to the bot (in a direct message, with a mention, or as a reply to it) is answered as if it had been typed."""

    language: Annotated[str, AfterValidator(_known)] | None = Field(default=None, title="Language")
    """The language that is spoken here; empty finds it out for each recording."""

    longest: int = Field(default=900, title="Longest recording", ge=10, le=14_400)
    """In seconds; a longer recording is refused with a sentence that says so. The operator may allow less."""
