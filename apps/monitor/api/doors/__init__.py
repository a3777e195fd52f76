"""What every request passes on its way to a route, one idea each, outermost first: see `app.py`."""
