"""Brings models into the data directory: downloads, verifies, unpacks, converts. Which models there are: `bot/catalogue.py`."""

from bot.pull.bars import bars
from bot.pull.landing import Status, status, verify
from bot.pull.pulling import Outcome, pull
from bot.pull.steps import Access, Step, Tell, silent

__all__ = ["Access", "Outcome", "Status", "Step", "Tell", "bars", "pull", "silent", "status", "verify"]
