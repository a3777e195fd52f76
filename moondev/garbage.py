"""How often Python looks for garbage that refers to itself, in processes of many messages or many long-lived objects.

A full look walks over everything that lives, and nothing else happens meanwhile: with 5,000 websockets it took 0.76 s
every twenty seconds. What a message makes dies young, and hardly ever in a circle.
https://docs.python.org/3.11/library/gc.html
"""

from __future__ import annotations

import gc

# Python's own are 700, 10, 10: new containers less those let go, then how many looks at the younger before the older.
NEW, YOUNG, MIDDLE = 50_000, 20, 50


def rarely_collect() -> None:
    """Leave out what is there by now, which stays as long as the process, and look at the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, MIDDLE)
