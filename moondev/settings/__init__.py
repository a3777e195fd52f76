"""Settings in layers: ``env`` reads, ``base`` holds everything, ``dev/staging/production/test`` overlay it."""
