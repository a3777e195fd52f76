"""A model that says yes or no to what another strategy wants to open."""
