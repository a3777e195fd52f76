"""Promises: measured each minute, added up over a window, and what is left of what may go wrong."""
