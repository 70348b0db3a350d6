"""The name of every key in Redis. What is in it, for how long, and whose: `contents.py`; what that means is the affair of its module."""

from __future__ import annotations


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

    def versions(self, conversation: str, message: str) -> str:
        """The edits of a message."""
        return f"{self.prefix}:versions:{conversation}:{message}"

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

    def paths(self) -> str:
        """Which messages have a path."""
        return f"{self.prefix}:paths"

    def unremembered(self) -> str:
        """Who does not want to be remembered."""
        return f"{self.prefix}:unremembered"

    def left(self, tenant: str) -> str:
        """What has a lifetime only because the bot left."""
        return f"{self.prefix}:left:{tenant}"

    def heard(self, tenant: str) -> str:
        """Topics and people that a server was heard to have."""
        return f"{self.prefix}:heard:{tenant}"

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

    def restoring(self, token: str) -> str:
        """That one backup is being restored."""
        return f"{self.prefix}:restoring:{token}"

    def beside(self, token: str) -> Keys:
        """Where all of it lies meanwhile."""
        return Keys(self.restoring(token))

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

    def held(self, conversation: str) -> str:
        """That a platform wants nothing from a chat for a while."""
        return f"{self.prefix}:held:{conversation}"

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

    def pulls(self) -> str:
        """How far models have come."""
        return f"{self.prefix}:pulls"

    def rooms(self) -> str:
        """Which rooms there are."""
        return f"{self.prefix}:rooms"

    def room_threads(self, room: str) -> str:
        """How much was said in a room's threads."""
        return f"{self.prefix}:room-threads:{room}"

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

    def log(self) -> str:
        """What processes wrote to their logs."""
        return f"{self.prefix}:log"

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
