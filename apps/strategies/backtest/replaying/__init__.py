"""The pieces of the replay: tracks, orders, the bar matcher, the risk facts and the tick."""
