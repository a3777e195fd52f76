"""The self-test of risk: what every limit allows, how much of it is used, and what would trip next."""
