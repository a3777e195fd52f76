"""Bad days on synthetic data, played through the real guard, breakers, review, halts and flattening."""
