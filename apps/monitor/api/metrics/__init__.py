"""The metrics over HTTP."""
