"""A server's choices: which recordings become text here, and what happens with it. The operator's choices: `config.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from bot import DefaultOn, Needs
from plugins.transcribe.languages import known

Policy = Literal["off", "demand", "addressed", "always"]

Script = Literal["heard", "simplified", "traditional"]
"""The characters of Chinese: as the model writes them, or turned into the others."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=40)]


class Settings(BaseModel):
    """Every field has a default; the operator may choose another in `[plugins.transcribe.defaults]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    policy: Annotated[
        Policy, Needs("every_message", ("addressed", "always")), Needs("reactions", ("demand",)), DefaultOn("room", "always")
    ] = Field(default="demand", title="Voice notes")
    """`off`; on `demand`, by a reply with /transcribe, the message's menu or the reaction ✍; when a note is `addressed` to the bot, by its
    name or as a reply to it; `always`, as our own rooms begin. What is said to the bot is written down under each but `off`."""

    audio_files: bool = Field(default=True, title="Sound files")
    """Sound files that somebody sends are treated as voice notes are; else they become text on demand alone."""

    forward: bool = Field(default=True, title="Answer what is said")
    """What is said to the bot is answered as if it had been typed."""

    names: tuple[Name, ...] = Field(default=("Hobnob",), title="Names of the bot", max_length=8)
    """What people call the bot when they speak, for notes that are `addressed` to it."""

    language: Annotated[str, AfterValidator(known)] | None = Field(default=None, title="Language")
    """The language that is spoken here; empty finds it out for each recording."""

    chinese: Script = Field(default="heard", title="Chinese characters")
    """The characters that Chinese is written in: as the model `heard` it, `simplified` or `traditional`."""

    speakers: bool = Field(default=False, title="Tell speakers apart")
    """Of a recording in which several people speak, the text says who it is each time: Speaker 1, Speaker 2. Nothing of their voices is
    kept. It takes a model for that, which the operator sets up."""

    hints: str = Field(default="", title="Words to expect", max_length=400)
    """Names and words that are often said here, separated by commas. They make these likelier to be heard, rightly and wrongly."""

    people: bool = Field(default=False, title="Expect people's names")
    """The names of those who were heard of in the conversation, or are mentioned, count as words to expect."""

    subject: bool = Field(default=False, title="Expect the channel's topic")
    """What the channel is called and what it is about, as the platform says, counts as words to expect."""

    longest: int = Field(default=900, title="Longest recording", ge=10, le=14_400)
    """In seconds; a longer recording is refused with a sentence that says so. The operator may allow less."""
