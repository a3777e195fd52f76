"""The parts of the quote backtest: records in columns, queues, delays, and one venue that fills our orders."""
