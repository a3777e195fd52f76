"""Runs side by side: what each earned, in what they differ, and whether they may be compared at all."""
