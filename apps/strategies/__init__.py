"""Strategies and the orchestrator that runs them."""
