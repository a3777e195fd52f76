"""Metrics that are read when they are asked for: one module, one subject, a fixed number of questions."""
