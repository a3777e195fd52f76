"""Who may do what through which door: roles of people, tokens of programs, how often, and from where."""
