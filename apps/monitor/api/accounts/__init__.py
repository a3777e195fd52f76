"""Accounts, positions and fills over HTTP."""
