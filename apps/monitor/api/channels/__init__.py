"""Channels: where notices go, and how they get there."""
