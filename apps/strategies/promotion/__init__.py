"""The way from an idea to real money: stages, the gates between them, evidence, approvals, and the way back."""
