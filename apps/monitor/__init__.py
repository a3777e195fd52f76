"""What people see: demo, metrics, alerts, audit."""
