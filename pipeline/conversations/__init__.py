"""What the model is shown: the persona's prompts, and a record rendered through them."""
