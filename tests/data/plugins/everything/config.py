"""What an operator chooses for the plugin that implements every hook."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Config(BaseModel):
    """All of it."""

    model_config = ConfigDict(extra="forbid")

    greeting: str = "Hello"
    loudness: int = Field(default=1, ge=1, le=11)
    token: SecretStr = SecretStr("")
