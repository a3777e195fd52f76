"""A run as one page: a self-contained HTML file, readable without a network, in light and dark, on desk and phone."""
