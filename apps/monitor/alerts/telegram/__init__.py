"""Commands by Telegram: what an operator does with a phone when nothing else is at hand."""
