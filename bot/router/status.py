"""The words of a status line while somebody waits. When it is shown and becomes the answer: `delivery.py`."""

from __future__ import annotations


def waiting(ahead: int, seconds: float | None) -> str:
    """So many are ahead, and it takes about so long, where that is known and worth a word."""
    place = "You are next" if ahead == 0 else f"Waiting: {ahead} ahead of you"
    return f"{place}." if seconds is None or seconds < 1.0 else f"{place}, {roughly(seconds)}."


def expired(seconds: float) -> str:
    """Why there is no answer after so many seconds of waiting."""
    return f"This has waited {roughly(seconds)} for its turn, so I have let it go. Please ask again if you still want to know."


def roughly(seconds: float) -> str:
    """A duration as people say it, no more exact than it is known."""
    if seconds < 10.0:
        return "a few seconds"
    if seconds < 55.0:
        return f"about {round(seconds, -1):.0f} seconds"
    if seconds < 3300.0:
        minutes = round(seconds / 60)
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    hours = max(1, round(seconds / 3600))
    return f"about {hours} hour{'s' if hours > 1 else ''}"
