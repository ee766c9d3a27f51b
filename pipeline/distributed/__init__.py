"""Several processes as one run: how they meet, hear of each other, and leave together."""
