"""What is asked: probes, how they are found in passages, control questions."""
