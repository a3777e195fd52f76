"""The parts of the Nadaraya-Watson strategy."""
