"""The strategy floor in the admin."""
