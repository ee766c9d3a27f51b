"""What was learnt: questions with known answers, scored for the base model and the trained one."""
