"""Traces: how long each stage of a tick took, and what became of its orders. Off unless an endpoint is named."""
