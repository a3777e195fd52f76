"""What objectives count. Each module knows one source: orders in the database, counters in Redis, or a look at health.

A measure is given an objective and minutes (when each began, oldest first) and returns what it knows of them; a minute
that it leaves out is unknown, and neither good nor bad.
"""
