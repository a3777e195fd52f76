"""What portfolios and strategies are worth, how far they have fallen, and how much is at risk."""
