"""What runs in the background: the worker and its tick."""
