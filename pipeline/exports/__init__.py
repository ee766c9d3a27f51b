"""A trained character in the forms that other programs take, each proven to be what was trained."""
