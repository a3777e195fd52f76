"""Profit and equity over HTTP."""
