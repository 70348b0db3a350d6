"""What handlers' acts stand on, all in one. What they are: `acts.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.jobs import Result
from bot.media import Decoder
from bot.papers import Papers
from bot.pictures import Pictures
from bot.router.clicking import Instead
from bot.router.deciding import Offices
from bot.store.blobs import Blobs
from bot.store.conversations import Conversations
from bot.store.plugindata import PluginData
from bot.store.queue import Queue
from bot.store.schedules import Schedules


@dataclass(frozen=True, slots=True)
class Stores:
    """What acts read and write, what may be had instead of a long wait, who counts results, and who reads strangers' files."""

    queue: Queue
    blobs: Blobs
    conversations: Conversations
    data: PluginData
    schedules: Schedules
    offices: Offices
    instead: Instead = field(default_factory=Instead)
    count: Callable[[Result], None] = lambda result: None
    decoder: Decoder = field(default_factory=Decoder)
    pictures: Pictures = field(default_factory=Pictures)
    papers: Papers = field(default_factory=Papers)
