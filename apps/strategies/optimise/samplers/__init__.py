"""How the next parameters are chosen, from nothing but the trials so far."""
