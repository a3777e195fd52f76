"""How every part does, and how well promises are kept."""
