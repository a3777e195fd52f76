"""What a person does himself: orders by hand, and positions taken over from a strategy and given back.

A person trades under a name of his own on each account (`desks.py`), which every limit, breaker and check binds as it
binds a strategy: an order by hand goes through the same review, the same reservation and the same rows as any other.
"""
