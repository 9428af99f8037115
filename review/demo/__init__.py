"""The demo: two weeks of one firm's production traffic, played through the real commands."""
