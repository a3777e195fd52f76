"""Rules of one's own: an expression per rule that every opening order of a strategy has to meet."""
