"""The Hyperliquid wire: `/info`, `/exchange` and `/ws` as the venue's testnet speaks them."""
