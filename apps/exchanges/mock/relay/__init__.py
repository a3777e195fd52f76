"""A live venue's public stream as the mock's market: its books, trades and marks, copied in as they come.

The connection is its own: the mock imports nothing of the platform's adapters.
"""
