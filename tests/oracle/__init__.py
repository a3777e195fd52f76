"""Other people's engines as witnesses: asked in environments of their own, their answers stored, ours held to them."""
