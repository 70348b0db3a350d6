"""The public API for plugin authors. It leads to the vocabulary only: no Redis, no platform, no model library."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.catalogue import Catalogue, ChatFacts, Entry
    from bot.connector import Closing, Connector, Deliver, Key, Limits, Listing, Offer, Option, Post, Single, Upload, typed_command
    from bot.context import Clip, Context, Conversation, Fetched, Scope, Show, Stored
    from bot.errors import (
        BadArguments,
        BotError,
        Busy,
        ConfigError,
        ConnectorError,
        JobCancelled,
        JobError,
        JobExpired,
        JobFailed,
        JobLost,
        JobTimedOut,
        MessageGone,
        PluginError,
        Refused,
        StoreError,
        Unavailable,
        UserError,
    )
    from bot.events import Event
    from bot.hookspecs import hookimpl
    from bot.jobs import (
        Answer,
        Draw,
        Generate,
        Job,
        Partial,
        Picture,
        Preview,
        Progress,
        Result,
        Segment,
        TextSoFar,
        Transcribe,
        Transcript,
        Word,
    )
    from bot.messages import (
        Address,
        Attachment,
        Audio,
        Blob,
        Button,
        Called,
        Clicked,
        Deleted,
        File,
        Fired,
        Image,
        Joined,
        Message,
        Moved,
        Part,
        Person,
        Quote,
        Reacted,
        Reply,
        Said,
        Source,
        Text,
    )
    from bot.models import Batch, Memory, Model, Placement, Work
    from bot.routes import Action, Command, Listener, NoArgs, Outcome, Reaction, Refusal, Route, Schedule
    from bot.turns import Turn, estimate_tokens

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Address",
    "Answer",
    "Attachment",
    "Audio",
    "BadArguments",
    "Batch",
    "Blob",
    "BotError",
    "Busy",
    "Button",
    "Called",
    "Catalogue",
    "ChatFacts",
    "Clicked",
    "Clip",
    "Closing",
    "Command",
    "ConfigError",
    "Connector",
    "ConnectorError",
    "Context",
    "Conversation",
    "Deleted",
    "Deliver",
    "Draw",
    "Entry",
    "Event",
    "Fetched",
    "File",
    "Fired",
    "Generate",
    "Image",
    "Job",
    "JobCancelled",
    "JobError",
    "JobExpired",
    "JobFailed",
    "JobLost",
    "JobTimedOut",
    "Joined",
    "Key",
    "Limits",
    "Listener",
    "Listing",
    "Memory",
    "Message",
    "MessageGone",
    "Model",
    "Moved",
    "NoArgs",
    "Offer",
    "Option",
    "Outcome",
    "Part",
    "Partial",
    "Person",
    "Picture",
    "Placement",
    "PluginError",
    "Post",
    "Preview",
    "Progress",
    "Quote",
    "Reacted",
    "Reaction",
    "Refusal",
    "Refused",
    "Reply",
    "Result",
    "Route",
    "Said",
    "Schedule",
    "Scope",
    "Segment",
    "Show",
    "Single",
    "Source",
    "StoreError",
    "Stored",
    "Text",
    "TextSoFar",
    "Transcribe",
    "Transcript",
    "Turn",
    "Unavailable",
    "Upload",
    "UserError",
    "Word",
    "Work",
    "estimate_tokens",
    "hookimpl",
    "typed_command",
]

_HOMES = ("connector", "context", "errors", "events", "hookspecs", "jobs", "messages", "models", "routes", "turns", "catalogue")


def __getattr__(name: str) -> Any:
    """Imports a name's home when it is first asked for: all of them take 0.3 s, and `hobnob --help` needs none."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"bot.{home}")
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module 'bot' has no attribute {name!r}")
