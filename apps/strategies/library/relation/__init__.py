"""The parts of the correlation strategy: followers that lag behind a leader, and cointegrated pairs."""
