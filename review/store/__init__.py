"""Tables, column types, the engine and migrations: the only place that knows database engines."""
