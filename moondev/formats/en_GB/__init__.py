"""British English, with the times of machines: to the second, and sortable."""
