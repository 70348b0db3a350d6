"""What Telegram answers to a call that it does not carry out, as our own errors. Who tries again, and when: `bot/router/delivery.py`."""

from __future__ import annotations

from datetime import timedelta

from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.errors import ConnectorError, MessageGone

PAUSE = 1.0
"""Seconds before a call is tried again whose answer never came."""

UNCHANGED = "message is not modified"
LOST = ("message to edit not found", "message can't be edited", "message_id_invalid")
GONE = ("message to delete not found", "message can't be deleted", "message_id_invalid")
TOO_BIG = "file is too big"
NO_PICTURE = ("image_process_failed", "photo_invalid_dimensions", "photo_ext_invalid", "photo_save_file_invalid")
NO_CAPTION = "there is no text in the message to edit"
NO_RIGHTS = ("not enough rights to send",)
STRANGER = "chat not found"
VOICE_FORBIDDEN = "voice_messages_forbidden"


def says(error: TelegramError, *words: str) -> bool:
    """Whether Telegram's own words contain one of these."""
    return any(word in error.message.lower() for word in words)


def seconds(error: RetryAfter) -> float:
    """How long to wait; the library gives a number or a timedelta, as its environment says."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def unknown(error: TelegramError) -> bool:
    """Whether the call may have been carried out all the same: the connection broke, or the server did, before its answer came."""
    return isinstance(error, NetworkError) and not isinstance(error, BadRequest)


def translated(error: TelegramError) -> ConnectorError:
    """With the seconds after which trying again makes sense, None where it never does."""
    match error:
        case RetryAfter():
            return ConnectorError(str(error), retry_after=seconds(error), limited=True)
        case InvalidToken():
            return ConnectorError("Telegram refuses the token in connectors.telegram.token: take a new one from @BotFather with /token")
        case ChatMigrated():  # the next try goes to the new chat
            return ConnectorError(str(error), retry_after=0.0)
        case Conflict():
            return ConnectorError(str(error), retry_after=PAUSE)
        case BadRequest() if says(error, *LOST):
            return MessageGone(f"Telegram refuses: {error.message}")
        case Forbidden() | BadRequest():
            return ConnectorError(f"Telegram refuses: {error.message}")
        case NetworkError():
            return ConnectorError(f"Telegram does not answer: {error.message}", retry_after=PAUSE)
        case _:
            return ConnectorError(error.message)
