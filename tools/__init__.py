"""What generates docs/scale.md: the cost of preparing rows, measured, and of a step on many GPUs, modelled."""
