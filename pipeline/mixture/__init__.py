"""What is seen how often: the plan of a run's exposures, and its ledger."""
