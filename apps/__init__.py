"""The four floors of the platform: exchanges, risk, strategies, monitor."""
