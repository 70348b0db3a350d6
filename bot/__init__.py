"""The public API for plugin authors. Importing it loads the vocabulary only: no Redis, no platform, no model library."""

from bot.connector import Connector, Deliver, Key, Limits, Post, Upload
from bot.context import Clip, Context, Conversation, Fetched, Scope, Stored
from bot.errors import (
    BadArguments,
    BotError,
    Busy,
    ConfigError,
    ConnectorError,
    JobCancelled,
    JobError,
    JobFailed,
    JobLost,
    JobTimedOut,
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
    File,
    Fired,
    Image,
    Message,
    Person,
    Quote,
    Reacted,
    Reply,
    Said,
    Text,
)
from bot.models import Batch, Memory, Model, Placement, Work
from bot.routes import Action, Command, Listener, NoArgs, Reaction, Refusal, Schedule, Tool
from bot.turns import Turn, estimate_tokens

__version__ = "0.1.0"
