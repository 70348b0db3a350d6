"""What tests of bots and plugins need, put together: waiting, acts that are scripted, what connectors keep. Each has a file here."""

from bot.testing.acts import Scripted, ScriptedActs
from bot.testing.contract import Contract
from bot.testing.waiting import wait_until

__all__ = ["Contract", "Scripted", "ScriptedActs", "wait_until"]
