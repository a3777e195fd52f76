"""Questions to the servers we use; each is asked as our processes would, and none waits for ever."""
