"""Review, sizing limits, equity, breakers, vetoes and the kill switch."""
