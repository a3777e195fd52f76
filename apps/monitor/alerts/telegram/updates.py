"""What the Bot API hands over, and which of it is a command. https://core.telegram.org/bots/api#update"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PRIVATE = "private"


class Sender(BaseModel):
    """Who wrote. `id` is his for ever; names are his to choose."""

    model_config = ConfigDict(frozen=True)

    id: int
    is_bot: bool = False


class Chat(BaseModel):
    """Where it was written."""

    model_config = ConfigDict(frozen=True)

    id: int
    type: str


class Message(BaseModel):
    """One message. Whoever writes in a chat's name or through a bot, or passes on another's words, is nobody to us."""

    model_config = ConfigDict(frozen=True)

    date: datetime
    chat: Chat
    sender: Sender | None = Field(default=None, alias="from")
    text: str = ""
    sender_chat: dict[str, Any] | None = None
    via_bot: dict[str, Any] | None = None
    forward_origin: dict[str, Any] | None = None

    @property
    def is_own(self) -> bool:
        """Return whether a person wrote this himself."""
        borrowed = self.sender_chat or self.via_bot or self.forward_origin
        return self.sender is not None and not self.sender.is_bot and not borrowed


class Update(BaseModel):
    """One update; without a message when it is of a kind that we did not ask for."""

    model_config = ConfigDict(frozen=True)

    update_id: int
    message: Message | None = None


def updates_of(result: object) -> list[Update]:
    """Return the updates of an answer, in order; of one that makes no sense only its number, so that it is passed."""
    rows = result if isinstance(result, list) else []
    found = [_update(row) for row in rows if isinstance(row, dict) and _is_number(row.get("update_id"))]
    return sorted(found, key=lambda update: update.update_id)


def _update(row: dict[str, Any]) -> Update:
    try:
        return Update.model_validate(row)
    except ValidationError:
        return Update(update_id=row["update_id"])


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62
