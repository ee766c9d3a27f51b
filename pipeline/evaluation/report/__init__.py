"""What is shown of an evaluation: terminal tables, pages, charts."""
