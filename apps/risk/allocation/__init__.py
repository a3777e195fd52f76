"""How capital is shared among strategies: proposals that somebody has to accept."""
