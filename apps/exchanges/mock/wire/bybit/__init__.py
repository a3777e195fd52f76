"""The Bybit wire: linear USDT perpetuals of the v5 API under `/bybit`, over HTTP and three kinds of socket."""
