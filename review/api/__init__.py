"""The HTTP interface: FastAPI under /api/v1. Each route reads, runs one command or query, and answers."""
