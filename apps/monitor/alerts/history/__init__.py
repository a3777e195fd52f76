"""What alerts were worth: how often each rule woke somebody for nothing, and what other thresholds would have done."""
