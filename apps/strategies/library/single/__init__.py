"""One position per market, of one size, with a stop and a take-profit that were fixed at its signal."""
