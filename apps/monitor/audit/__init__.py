"""Who did what, from where, and what it was before: append-only, chained by hashes, checked by `audit verify`."""
