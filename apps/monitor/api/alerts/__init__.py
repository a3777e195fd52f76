"""Alerts: what is wrong, who has it in hand, and the rules that say so."""
