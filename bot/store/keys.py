"""Every key in Redis: its name, its lifetime, and whose personal data it holds. What is kept under each is the affair of its module."""

from __future__ import annotations

import hashlib
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
    Entry("path:*", "1 hour", "the person", "which path a message took, without what was said", "passes"),
    Entry("path-of:*", "1 hour", "nothing personal", "which message an answer of the bot is for, by id"),
    Entry("path-last:*", "1 hour", "the person", "the last message of a person in a conversation, by id", "passes"),
    Entry("unremembered", "until they take it back", "the person", "who does not want to be remembered", "asked"),
    Entry("left:*", "30 days after the bot left", "nothing personal", "what else is forgotten with a server, by key"),
    Entry("schema", "for ever", "nothing personal", "the form of what is kept, which a release brings forward"),
    Entry("turns:*", "30 days after the last turn", "the chat", "the turns of a conversation", "asked"),
    Entry(
        "turns-meta:*",
        "30 days after the last turn",
        "the chat",
        "tokens counted so far in a conversation, and what was said before in short",
        "asked",
    ),
    Entry("data:*", "as its plugin says", "the person", "what a plugin keeps for a server, a chat or a person", "asked"),
    Entry("data-index:*", "until the owner is forgotten", "the person", "which plugin data exists for an owner", "asked"),
    Entry("offered:*", "90 days after it was told", "nothing personal", "which commands a platform was told to offer in a server"),
    Entry("offers-made:*", "1 day", "nothing personal", "how many new commands a server had today"),
    Entry("button:*", "365 days", "the chat", "what a button does", "asked"),
    Entry("filling:*", "1 hour", "the person", "which form somebody was asked to fill in by a reply", "passes"),
    Entry("album:*", "1 hour", "the chat", "the parts of an album, which a platform brings one by one", "passes"),
    Entry("albums-due:*", "until the album is whole", "nothing personal", "when no more parts of an album are waited for"),
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
    Entry("paced:*", "a minute at most", "nothing personal", "what several routers called lately, by chat and platform"),
    Entry("lead:*", "3 s after its router's last sign", "nothing personal", "which router receives from a platform that takes one"),
    Entry("room-order:*", "30 days after the last message", "nothing personal", "the message ids of a place in a room"),
    Entry("room-posts:*", "30 days after the last message", "the chat", "the messages of a place in a room, 2000 at most", "asked"),
    Entry("room-nonce:*", "24 hours", "nothing personal", "which message a nonce made, so that it makes no second"),
    Entry("room-changes", "1 day after the last change", "nothing personal", "which messages of rooms changed, by id"),
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
    Entry("pages", "while a router serves them, 1 minute at most", "nothing personal", "where the pages are"),
    Entry("invite:*", "24 hours, or until used", "the person", "a link that lets a browser in, by the hash of its token", "passes"),
    Entry("password", "until the operator changes it", "nothing personal", "the operator's password, as an argon2 hash"),
    Entry(
        "tally:*", "an hour's by the minute, 26 hours' by the hour", "the server", "how much was asked, written, drawn and heard, by server"
    ),
    Entry("tries:*", "15 minutes", "the person", "how often somebody tried to enter, by the hash of an address", "passes"),
)
"""The whole store. A test holds it against the keys that a run leaves behind."""


def digest(*words: str) -> str:
    """A short id that is the same for the same words: 128 bits, hex."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).hexdigest()


class Keys:
    """Names of keys under one prefix; the scripts build some of them too, so a name here is a name there."""

    def __init__(self, prefix: str = "hobnob") -> None:
        self.prefix = prefix

    def ticket(self, id: str) -> str:
        """A ticket."""
        return f"{self.prefix}:ticket:{id}"

    def journal(self, ticket: str) -> str:
        """A ticket's journal."""
        return f"{self.prefix}:journal:{ticket}"

    def line(self, conversation: str) -> str:
        """The ordered tickets of a conversation."""
        return f"{self.prefix}:line:{conversation}"

    def ticket_leases(self) -> str:
        """Running tickets by the end of their lease."""
        return f"{self.prefix}:leases:tickets"

    def ticket_ready(self, connector: str) -> str:
        """Tickets that wait for a router."""
        return f"{self.prefix}:ready:{connector}"

    def ticket_wake(self, connector: str) -> str:
        """Where routers wait for tickets."""
        return f"{self.prefix}:wake:{connector}"

    def server(self, tenant: str) -> str:
        """A server's choices."""
        return f"{self.prefix}:server:{tenant}"

    def audit(self, tenant: str) -> str:
        """What a server's admins changed."""
        return f"{self.prefix}:audit:{tenant}"

    def house(self) -> str:
        """What holds everywhere."""
        return f"{self.prefix}:house"

    def house_audit(self) -> str:
        """What owners decided."""
        return f"{self.prefix}:house-audit"

    def claim(self, hash: str) -> str:
        """A code that makes an owner."""
        return f"{self.prefix}:claim:{hash}"

    def applicant(self, tenant: str) -> str:
        """A server that waits to be let in."""
        return f"{self.prefix}:applicant:{tenant}"

    def present(self, connector: str) -> str:
        """Which servers the bot is in."""
        return f"{self.prefix}:present:{connector}"

    def used(self, measure: str, seconds: int, tenant: str, person: str) -> str:
        """A counter of what is used in so many seconds."""
        return f"{self.prefix}:used:{measure}:{seconds}:{tenant}|{person}"

    def path(self, conversation: str, message: str) -> str:
        """The path of a message."""
        return f"{self.prefix}:path:{conversation}:{message}"

    def path_of(self, conversation: str, answer: str) -> str:
        """Which message an answer is for."""
        return f"{self.prefix}:path-of:{conversation}:{answer}"

    def path_last(self, conversation: str, person: str) -> str:
        """A person's last message."""
        return f"{self.prefix}:path-last:{conversation}:{person}"

    def unremembered(self) -> str:
        """Who does not want to be remembered."""
        return f"{self.prefix}:unremembered"

    def left(self, tenant: str) -> str:
        """What has a lifetime only because the bot left."""
        return f"{self.prefix}:left:{tenant}"

    def turns(self, conversation: str) -> str:
        """A conversation."""
        return f"{self.prefix}:turns:{conversation}"

    def turns_meta(self, conversation: str) -> str:
        """A conversation's counters."""
        return f"{self.prefix}:turns-meta:{conversation}"

    def data(self, plugin: str, scope: str, owner: str, key: str) -> str:
        """A value of a plugin's own. `key` is the plugin's, and comes last so that nothing in it can name another owner."""
        return f"{self.prefix}:data:{plugin}{self.owned(scope, owner)}{key}"

    @staticmethod
    def owned(scope: str, owner: str) -> str:
        """The part of a value's name that says whose it is."""
        return f":{scope}:{owner.replace(':', '%3A')}:"

    def data_index(self, scope: str, owner: str) -> str:
        """Which values exist for an owner."""
        return f"{self.prefix}:data-index:{scope}:{owner}"

    def offered(self, bot: str, tenant: str) -> str:
        """What a platform was told to offer."""
        return f"{self.prefix}:offered:{bot}:{tenant}"

    def offers_made(self, bot: str, tenant: str) -> str:
        """How many new commands it was told of."""
        return f"{self.prefix}:offers-made:{bot}:{tenant}"

    def button(self, id: str) -> str:
        """A button."""
        return f"{self.prefix}:button:{id}"

    def filling(self, conversation: str, person: str) -> str:
        """The form that a person was asked to fill in."""
        return f"{self.prefix}:filling:{conversation}:{person}"

    def schema(self) -> str:
        """The form of all this."""
        return f"{self.prefix}:schema"

    def firings(self) -> str:
        """All firings."""
        return f"{self.prefix}:firings"

    def firings_due(self) -> str:
        """All firings by time."""
        return f"{self.prefix}:firings:due"

    def album(self, name: str) -> str:
        """An album's parts."""
        return f"{self.prefix}:album:{name}"

    def albums_due(self, connector: str) -> str:
        """Albums by when they are whole."""
        return f"{self.prefix}:albums-due:{connector}"

    def blob(self, id: str) -> str:
        """Bytes."""
        return f"{self.prefix}:blob:{id}"

    def lead(self, what: str) -> str:
        """Who leads."""
        return f"{self.prefix}:lead:{what}"

    def routers(self) -> str:
        """Which routers live."""
        return f"{self.prefix}:routers"

    def paced(self, what: str) -> str:
        """What routers called lately."""
        return f"{self.prefix}:paced:{what}"

    def room_order(self, place: str) -> str:
        """The order of messages in a place."""
        return f"{self.prefix}:room-order:{place}"

    def room_posts(self, place: str) -> str:
        """The messages of a place."""
        return f"{self.prefix}:room-posts:{place}"

    def room_nonce(self, nonce: str) -> str:
        """What a nonce made."""
        return f"{self.prefix}:room-nonce:{nonce}"

    def room_changes(self) -> str:
        """What changed in any room."""
        return f"{self.prefix}:room-changes"

    def room_arrivals(self) -> str:
        """What the bot has not taken yet."""
        return f"{self.prefix}:room-arrivals"

    def room_people(self, room: str) -> str:
        """Who came to a room."""
        return f"{self.prefix}:room-people:{room}"

    def session(self, hash: str) -> str:
        """A browser's session."""
        return f"{self.prefix}:session:{hash}"

    def invite(self, hash: str) -> str:
        """A link that works once."""
        return f"{self.prefix}:invite:{hash}"

    def password(self) -> str:
        """The operator's password."""
        return f"{self.prefix}:password"

    def tries(self, what: str, hash: str) -> str:
        """How often somebody tried."""
        return f"{self.prefix}:tries:{what}:{hash}"

    def tally(self, unit: str, at: int) -> str:
        """How much was done in a minute or an hour."""
        return f"{self.prefix}:tally:{unit}:{at}"

    def troubles(self) -> str:
        """What is wrong with plugins."""
        return f"{self.prefix}:troubles"

    def trace(self) -> str:
        """A channel, not a key: the calls of plugins."""
        return f"{self.prefix}:trace"

    def pages(self) -> str:
        """Where the pages are."""
        return f"{self.prefix}:pages"

    def weights(self) -> str:
        """Servers' shares."""
        return f"{self.prefix}:weights"

    def job(self, id: str) -> str:
        """A job."""
        return f"{self.prefix}:job:{id}"

    def jobs_of(self, ticket: str) -> str:
        """The jobs of a ticket."""
        return f"{self.prefix}:jobs-of:{ticket}"

    def out(self, job: str) -> str:
        """A job's output."""
        return f"{self.prefix}:out:{job}"

    def work(self, want: str) -> str:
        """Where workers wait for what they serve."""
        return f"{self.prefix}:work:{want}"

    def orders(self, worker: str) -> str:
        """Where a worker hears what was cancelled."""
        return f"{self.prefix}:orders:{worker}"

    def workers(self) -> str:
        """The living."""
        return f"{self.prefix}:workers"

    def worker(self, worker: str) -> str:
        """What a worker tells of itself."""
        return f"{self.prefix}:worker:{worker}"

    def duty(self) -> str:
        """Who is off duty."""
        return f"{self.prefix}:duty"

    def dead(self) -> str:
        """The dead list."""
        return f"{self.prefix}:dead-jobs"

    def dead_job(self, id: str) -> str:
        """What is kept of a job on it."""
        return f"{self.prefix}:dead-job:{id}"

    def retries(self) -> str:
        """Those that are to be asked again."""
        return f"{self.prefix}:retries"
