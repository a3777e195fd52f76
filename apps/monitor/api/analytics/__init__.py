"""Figures of strategies, accounts, portfolios and everything over any period."""
