"""The rules of review: pure functions and values, with no clock, no chance and no input or output."""
