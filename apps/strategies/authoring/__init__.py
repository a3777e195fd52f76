"""Strategies of the user's own: a folder of files, loaded, replaced and unloaded while everything runs."""
