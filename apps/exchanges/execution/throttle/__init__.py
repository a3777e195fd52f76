"""The budgets of venues, kept in Redis for every process of every machine."""
