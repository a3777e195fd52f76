"""One package per venue; see README.md for how to add one."""
