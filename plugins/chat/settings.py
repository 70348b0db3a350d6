"""A server's choices: who the bot is here, and how it writes. The operator's choices: `config.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PERSONA = "You are Hobnob, a helpful AI assistant. Give short and correct answers."
"""Short on purpose: every answer begins with reading it, and a small model on a CPU reads 300 tokens a second. With words about chats or
names in it, the starter repeats questions instead of answering them."""


class Settings(BaseModel):
    """Every field has a default; the operator may choose another in `[plugins.chat.defaults]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    persona: str = Field(default=PERSONA, title="Persona", min_length=1, max_length=4000)
    """What the model is told about itself before every conversation."""

    temperature: float = Field(default=0.2, title="Temperature", ge=0.0, le=2.0)
    """How freely it chooses its words: 0 always takes the likeliest, 1 and more surprises."""

    max_tokens: int = Field(default=400, title="Longest answer", ge=16, le=8192)
    """The most tokens of an answer; three tokens are about two English words."""

    context_tokens: int = Field(default=1200, title="Memory", ge=100, le=200_000)
    """The tokens of the conversation that it is shown, and of the longest question, as far as it has room. More takes longer to read."""

    memory: Literal["chat", "person"] = Field(default="chat", title="Shared or apart")
    """`chat`: all who speak here share one conversation. `person`: the bot has one with each of them, and knows nothing of the others'."""

    summary: bool = Field(default=True, title="Summary")
    """What no longer fits the memory is summed up by the model, and stands before the rest."""

    buttons: bool = Field(default=True, title="Buttons")
    """Below an answer is Again, and Continue where it was cut off."""

    tools: bool = Field(default=True, title="Tools")
    """A model that can call tools may call those of the plugins that are on here, for whoever asks and with no more rights than theirs."""

    model: str = Field(default="", title="Model", max_length=100, json_schema_extra={"among": "models"})
    """The model that answers, of those that `/models` lists; empty is the first of them. `/models NAME` chooses it for a channel."""
