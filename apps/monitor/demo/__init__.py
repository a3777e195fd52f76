"""The demo: every process of the platform under one supervisor, trading on the mock exchange."""
