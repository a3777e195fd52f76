"""What an account holds and is worth: positions, profit, fees, funding, equity."""
