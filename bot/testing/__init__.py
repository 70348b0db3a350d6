"""What tests of bots and plugins need, put together: waiting without sleeping, and acts that are scripted. Each has a file here."""

from bot.testing.acts import Scripted, ScriptedActs
from bot.testing.waiting import wait_until

__all__ = ["Scripted", "ScriptedActs", "wait_until"]
