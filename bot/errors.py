"""Every error Hobnob raises on purpose; the branch says who must act. Platform and library errors are wrapped, not listed.

BotError
├── ConfigError      the operator: file, key, what is allowed    no traceback, exit 2
│   └── PullError      a model cannot be brought here: network, disk, hash, licence
├── PluginError      the plugin author: plugin, hook, fault      no traceback, exit 2
├── UserError        the person in the chat: safe to show        sent as the reply
│   ├── BadArguments   a field of a command is wrong or missing
│   ├── Refused        the gate or a plugin says no, and why
│   ├── Busy           too much is waiting; says how much
│   └── Unavailable    a model or a service is not there now
├── ConnectorError   the platform or the network                 retried with back-off
│   └── MessageGone    a message that was to change is deleted   the answer is sent anew
├── StoreError       Redis: unreachable, full, too old           at start exit 5, later waited for
└── JobError         the model side                              an apology with a reference id
    ├── JobFailed      the model raised
    ├── JobRefused     the model will not do it; the text tells the person why
    ├── JobTimedOut    it ran longer than its kind allows
    │   └── JobExpired     it waited so long that an answer is worth nothing; the person is told so
    ├── JobLost        its workers died three times
    └── JobCancelled   a person cancelled it
"""

from __future__ import annotations


class BotError(Exception):
    """Any error that Hobnob explains itself; never raised directly."""


class ConfigError(BotError):
    """The operator must change a file, an option or the environment; carries every fault found, not only the first."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class PullError(ConfigError):
    """A model cannot be brought here: the network, the disk, a hash or a licence that is not accepted; what has come is kept."""


class PluginError(BotError):
    """The plugin's author must change the plugin; `plugin` is its name."""

    def __init__(self, plugin: str, fault: str) -> None:
        super().__init__(f"plugin {plugin!r}: {fault}")
        self.plugin = plugin
        self.fault = fault


class UserError(BotError):
    """The person in the chat reads this text as the reply."""


class BadArguments(UserError):
    """A command was called with a wrong or missing argument; names the field."""


class Refused(UserError):
    """A rule of this server, of the operator or of a plugin says no; the text says which and who can change it."""


class Busy(UserError):
    """Too many jobs wait already; the text says how many are ahead."""


class Unavailable(UserError):
    """What is needed to answer is not there now: no worker serves the model, or the service is paused."""


class ConnectorError(BotError):
    """The platform refused or could not be reached; `retry_after` is in seconds, None when trying again is useless.

    `limited` says that the platform itself asks for this wait, because too much was sent: all routers keep that chat quiet then.
    """

    def __init__(self, fault: str, *, retry_after: float | None = None, limited: bool = False) -> None:
        super().__init__(fault)
        self.retry_after = retry_after
        self.limited = limited


class MessageGone(ConnectorError):
    """The message that was to be changed is no longer there, or can no longer be changed."""


class NotAllowed(ConnectorError):
    """The platform forbids it there; `words` tell the admins of that place what to change."""

    def __init__(self, fault: str, words: str) -> None:
        super().__init__(fault)
        self.words = words


class StoreError(BotError):
    """Redis cannot be reached, is full or is too old; the text says what the operator does about it."""


class JobError(BotError):
    """The model side failed; the person gets an apology with the ticket's reference, the operator gets the log."""


class JobFailed(JobError):
    """The model raised; the text is for the log, not for the chat."""


class JobRefused(JobError):
    """The model, or who runs it, will not do what was asked; the person reads this text as the reply."""


class JobTimedOut(JobError):
    """The job ran, or waited, longer than its kind allows."""


class JobExpired(JobTimedOut):
    """The job waited so long that an answer would be worth nothing; the text tells the person."""


class JobLost(JobError):
    """Three workers died while running the job; it is on the dead list."""


class JobCancelled(JobError):
    """A person cancelled the job, or its ticket ended."""
