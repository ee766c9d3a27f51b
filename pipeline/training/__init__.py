"""One run: the recipe's arguments, the trainer around trl's, its callbacks, and what is saved of it."""
