"""Keys that sign: where they are kept, and who asked for them."""
