"""What may differ from server to server."""

from __future__ import annotations

from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Settings(BaseModel):
    """Whoever has said where they are is reminded by their own clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = Field(default="UTC", description="The time zone of people who have not said theirs: Europe/Lisbon.")

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"expected a time zone such as Europe/Lisbon, found {zone!r}")
        return zone
