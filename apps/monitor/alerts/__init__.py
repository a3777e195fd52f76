"""Alerts: what is worth waking somebody for, and how it reaches them."""
