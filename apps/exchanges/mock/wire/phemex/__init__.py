"""Phemex's wire: USDT perpetuals over HTTP and websocket, amounts as text ("real values"), times in nanoseconds."""
