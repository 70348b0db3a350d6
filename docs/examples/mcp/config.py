"""Which servers there are: the operator's choice alone, because one is a program that runs here, or a place that is told things."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Server(BaseModel):
    """A program on this machine, or an address that speaks MCP over HTTP."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    command: tuple[str, ...] = ()
    """The program and its arguments."""

    url: str = ""
    """Instead of a program."""

    env: dict[str, SecretStr] = {}
    """What the program finds in its environment, beside what every program needs."""

    only: frozenset[str] = frozenset()
    """Its tools that may be called; all of them where this is empty."""

    timeout: float = Field(default=60.0, gt=0, le=600)
    """Seconds that a call may take."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Server:
        if bool(self.command) == bool(self.url):
            raise ValueError('expected one of `command = ["program", "argument"]` and `url = "http://…"`')
        return self


class Config(BaseModel):
    """`[plugins.mcp.servers.NAME]` for each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[str, Server] = {}
