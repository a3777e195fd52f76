"""Everything that Prometheus is told: what processes have counted, and what SQL, Redis and the broker know."""
