"""Pure functions over float64 columns: known at the close of a bar, never later."""
