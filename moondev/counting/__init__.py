"""Counting what happens in this process, so cheaply that every path may do it, and so that nothing can stop for it."""
