"""What happens beside the steps of a run: logs, recall, the mean of the weights, the clock."""
