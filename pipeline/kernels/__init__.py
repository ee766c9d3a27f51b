"""Fused forward and backward passes for LoRA on a CPU."""
