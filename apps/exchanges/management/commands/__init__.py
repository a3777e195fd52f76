"""Management commands of the exchange floor."""
