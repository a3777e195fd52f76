"""Traces: how long each stage of a tick took, and what became of its orders. Off unless an endpoint is named.

Nothing is handed on from process to process. Every id follows from what is in the rows already (`ids`), so a stage is
told when it is over, by whoever took it, and still finds its place below the right parent.
"""
