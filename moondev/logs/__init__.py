"""What every process writes down: one line an event, with who and what it is about, and no secret in it."""

from moondev.logs.context import log_context, said

__all__ = ["log_context", "said"]
