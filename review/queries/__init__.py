"""Read only: a session in, a typed result out, one function per need of a screen or an endpoint."""
