"""Wire protocols: each sub-package speaks one venue's HTTP and websocket dialect over one engine."""
