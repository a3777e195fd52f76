"""Files of what happened."""
