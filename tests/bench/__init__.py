"""What the platform costs: latencies, rates, CPU and memory, measured on real servers. ``make bench``."""
