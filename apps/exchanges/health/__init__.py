"""How well each venue answers: what its streams bring, how its requests fare, and what follows from both."""
