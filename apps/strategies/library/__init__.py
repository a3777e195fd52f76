"""The strategies, one module each; their formulas live in a package beside them."""
