"""What trading has come to: figures, drift, reports and exports. Reads alone; nothing here trades."""
