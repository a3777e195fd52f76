"""Limits, breakers and the kill switch over HTTP."""
