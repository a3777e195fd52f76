"""Who moves like whom: measured again and again, and what that does to limits."""
