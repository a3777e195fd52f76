"""From what a person asks for to what a backtest is given: names to data, rules, fees and a setting."""
