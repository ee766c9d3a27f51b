"""What the loss sees: token rows, their labels, and batches of them."""
