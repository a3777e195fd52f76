"""The mock exchange: a matching engine behind the wire protocols of real venues, on this machine only."""
