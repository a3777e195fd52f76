"""Every preset of every strategy on recorded data, in one go: what the library is worth, in one table."""
