"""What each process tells of itself, so that a process that is stuck does not pass for one that works."""
