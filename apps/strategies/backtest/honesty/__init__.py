"""May this backtest be believed? One module a question; `run.py` asks them, `gate.py` says which must be answered."""
