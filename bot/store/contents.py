"""What is in Redis: each family of keys, how long it lives, and whose personal data it holds. Their names: `keys.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Holds = Literal["nothing personal", "the person", "the chat", "the server"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One family of keys: `pattern` below the prefix, how long it lives, whose data it is, and what for.

    What is `mine`, a person's own, is given back and deleted when that is `asked`, or `passes` by itself.
    """

    pattern: str
    lives: str
    holds: Holds
    what: str
    mine: Literal["", "asked", "passes"] = ""


TABLE = (
    Entry("ticket:*", "until done, then 24 h without content", "the chat", "a ticket: message, route, lease; then a tombstone", "passes"),
    Entry("journal:*", "as long as its ticket", "the chat", "what a ticket has done so far", "passes"),
    Entry("line:*", "while tickets wait", "nothing personal", "the ordered tickets of a conversation, by id"),
    Entry("leases:tickets", "while tickets run", "nothing personal", "when each running ticket's lease ends"),
    Entry("ready:*", "while tickets are ready", "nothing personal", "tickets that any router may take, by connector"),
    Entry("wake:*", "until a router wakes, a minute at most", "nothing personal", "one token that wakes a router"),
    Entry("versions:*", "24 hours after the last edit", "nothing personal", "which edits of a message were heard, by event"),
    Entry("server:*", "until 30 days after the bot left", "the server", "plugins switched on and settings", "asked"),
    Entry("audit:*", "the last 1,000, until 30 days after the bot left", "the server", "what admins changed, and who did", "asked"),
    Entry("house", "until the operator removes it", "the person", "who owns the bot, who and what is shut out everywhere", "asked"),
    Entry("house-audit", "the last 1,000", "the person", "what owners decided", "asked"),
    Entry("claim:*", "24 hours, or until used", "nothing personal", "a code that makes an owner, by its hash"),
    Entry("applicant:*", "30 days, or until it is let in", "the person", "a server or a person that waits to be let in", "passes"),
    Entry(
        "present:*", "until the bot leaves", "nothing personal", "which servers of a platform the bot is in, and where admins read there"
    ),
    Entry(
        "used:*", "as long as its limit counts, a month at most", "the person", "how much of a limit is used, by person or server", "passes"
    ),
    Entry("path:*", "1 hour", "the person", "which path a message took; what was said only where `web.contents` is on", "passes"),
    Entry("paths", "1 hour", "nothing personal", "which messages have a path, by id"),
    Entry("path-of:*", "1 hour", "nothing personal", "which message an answer of the bot is for, by id"),
    Entry("path-last:*", "1 hour", "the person", "the last message of a person in a conversation, by id", "passes"),
    Entry("unremembered", "until they take it back", "the person", "who does not want to be remembered", "asked"),
    Entry(
        "heard:*",
        "30 days after they were heard of last, people's as long as what they say",
        "the person",
        "names of topics and of people, where the platform lists neither",
        "asked",
    ),
    Entry("left:*", "30 days after the bot left", "nothing personal", "what else is forgotten with a server, by key"),
    Entry("schema", "for ever", "nothing personal", "the form of what is kept, which a release brings forward"),
    Entry(
        "restoring:*",
        "while a backup is restored; where that was killed, until the next start",
        "the chat",
        "all that is in a backup which is being restored",
        "passes",
    ),
    Entry("turns:*", "30 days after the last turn", "the chat", "the turns of a conversation", "asked"),
    Entry(
        "turns-meta:*",
        "30 days after the last turn; one person in short, after theirs",
        "the chat",
        "tokens counted so far in a conversation, and what was said before in short",
        "asked",
    ),
    Entry("data:*", "as its plugin says", "the person", "what a plugin keeps for a server, a chat or a person", "asked"),
    Entry("data-index:*", "until some hours after what it names is gone", "the person", "which plugin data exists for an owner", "asked"),
    Entry("offered:*", "90 days after it was told", "nothing personal", "which commands a platform was told to offer in a server"),
    Entry("offers-made:*", "1 day", "nothing personal", "how many new commands a server had today"),
    Entry("button:*", "30 days after it was sent or pressed last", "the chat", "what a button does", "asked"),
    Entry(
        "filling:*",
        "1 hour",
        "the person",
        "which form somebody was asked to fill in by a reply, and the message below which it stands",
        "passes",
    ),
    Entry("album:*", "1 hour", "the chat", "the parts of an album, which a platform brings one by one", "passes"),
    Entry("albums-due:*", "until the album is whole, 1 hour at most", "nothing personal", "when no more parts of an album are waited for"),
    Entry("firings", "until they fire", "the person", "schedules: what, where, for whom", "asked"),
    Entry("firings:due", "until they fire", "nothing personal", "schedules: when"),
    Entry("job:*", "until its ticket ends, 48 h at most", "the chat", "a job: what is asked, who asked, its claim", "passes"),
    Entry("jobs-of:*", "until the ticket ends, 48 h at most", "nothing personal", "the jobs of a ticket, by id"),
    Entry(
        "cancelled:*", "24 h after the ticket's end, 48 h at most", "nothing personal", "tickets whose jobs are cancelled, and ended ones"
    ),
    Entry("out:*", "until the ticket ends, 24 h at most", "the chat", "how a job goes and what it gave", "passes"),
    Entry("tenants:*", "while jobs wait", "nothing personal", "servers with waiting jobs, by what is wanted and how long they wait"),
    Entry("persons:*", "while jobs wait", "the person", "people with waiting jobs, by server and how long they wait", "passes"),
    Entry("jobs:*", "while jobs wait", "the person", "waiting jobs, by person", "passes"),
    Entry("depth", "while jobs wait", "the person", "how many jobs wait, by server and by person", "passes"),
    Entry("credit:*", "24 hours after who was new in it", "the person", "device seconds left in a round, by pool and person", "passes"),
    Entry("spent:*", "24 hours after who was new in it", "the person", "device seconds taken in a round, by pool and person", "passes"),
    Entry("costs", "30 days after the last router", "nothing personal", "what jobs and loading take, by model, in seconds"),
    Entry("asked:*", "6 minutes", "the server", "how many jobs each server submitted, by minute and by what is wanted"),
    Entry("weights", "until the operator changes them", "nothing personal", "servers whose share is larger or smaller"),
    Entry("deadlines", "while jobs wait", "nothing personal", "when each waiting job is worthless"),
    Entry("leases:jobs", "while jobs run", "nothing personal", "when each running job's lease ends"),
    Entry("work:*", "until a worker wakes, a minute at most", "nothing personal", "tokens that wake workers"),
    Entry("joiners:*", "until the next job, an hour at most", "nothing personal", "workers whose running turn has room"),
    Entry("orders:*", "until the worker reads, a minute at most", "nothing personal", "jobs that a worker is to drop or may take in"),
    Entry("workers", "until nobody works, 24 h at most", "nothing personal", "who lives and what they serve"),
    Entry("worker:*", "until the worker ends, 24 h at most", "nothing personal", "what a worker has in memory"),
    Entry("duty", "until the operator ends it", "nothing personal", "workers that are paused or drained, and until when"),
    Entry("reaped", "24 hours", "nothing personal", "when dead workers were last looked for"),
    Entry("dead-jobs", "the last 1,000, 7 days at most", "nothing personal", "jobs that killed three workers, by id and when"),
    Entry("dead-job:*", "until retried or dropped, 7 days at most", "the chat", "the ticket that such a job was of", "passes"),
    Entry("retries", "until asked again, 7 days at most", "nothing personal", "jobs of the dead list that are to be asked again"),
    Entry("blob:*", "24 hours", "the chat", "bytes that jobs and replies refer to", "passes"),
    Entry("routers", "3 s after the last router's last sign", "nothing personal", "which routers live"),
    Entry("held:*", "as long as the platform said", "nothing personal", "that nothing is sent to a chat for a while"),
    Entry("paced:*", "a minute at most", "nothing personal", "what several routers called lately, by chat and platform"),
    Entry("lead:*", "3 s after its router's last sign", "nothing personal", "which router receives from a platform that takes one"),
    Entry("pulls", "1 day", "nothing personal", "how far models have come that are brought here"),
    Entry("room-order:*", "30 days after the last message", "nothing personal", "the message ids of a place in a room"),
    Entry("room-posts:*", "30 days after the last message", "the chat", "the messages of a place in a room, 2000 at most", "asked"),
    Entry("rooms", "30 days after the last words in any", "nothing personal", "which rooms there are, by when something was said there"),
    Entry("room-threads:*", "30 days after the last message", "nothing personal", "how many messages the threads of a room have"),
    Entry("room-nonce:*", "24 hours", "nothing personal", "which message a nonce made, so that it makes no second"),
    Entry("room-changes", "1 day after the last change", "nothing personal", "which messages of rooms changed and who was writing, by id"),
    Entry("room-arrivals", "until a router took it, 7 days at most", "the chat", "what was said or clicked in rooms, by id", "passes"),
    Entry("room-people:*", "30 days after the last visit", "the person", "names of those who came to a room, and when", "asked"),
    Entry(
        "session:*",
        "30 days after the last visit, an admin's 2 hours",
        "the person",
        "a browser that was let in, by the hash of its cookie",
        "passes",
    ),
    Entry("troubles", "7 days after the last", "nothing personal", "plugins that rest or are left out, and why"),
    Entry("log", "the last 5,000 lines, a day at most", "the person", "what processes wrote to their logs: ids and faults", "passes"),
    Entry("pages", "while a router serves them, 1 minute at most", "nothing personal", "where the pages are"),
    Entry("invite:*", "24 hours, or until used", "the person", "a link that lets a browser in, by the hash of its token", "passes"),
    Entry("password", "until the operator changes it", "nothing personal", "the operator's password, as an argon2 hash"),
    Entry(
        "tally:*", "an hour's by the minute, 26 hours' by the hour", "the server", "how much was asked, written, drawn and heard, by server"
    ),
    Entry("tries:*", "15 minutes", "the person", "how often somebody tried to enter, by the hash of an address", "passes"),
)
"""The whole store. A test holds it against the keys that a run leaves behind."""
