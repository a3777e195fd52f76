"""From a venue's public stream to the frozen view a strategy decides on."""
