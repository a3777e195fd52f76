"""The consolidation pop in small pieces: what is quiet, where the range lies, and which way out of it."""
