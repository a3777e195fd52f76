"""Checks of market data: each rule is small, has a code that stays, and says what to do about what it found."""
