"""Processes of their own that are there at once: forked from one that has loaded the program and runs nothing."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

_LOADED = ["review.api.app", "review.delivery.worker", "review.store.migrate", "review.store.secrets", "uvicorn"]


def processes() -> ForkServerContext:
    """What such processes, and the locks between them, are made by."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def started(run: Callable[..., Any], *given: Any) -> ForkServerProcess:
    """A process that runs a function of a module."""
    process = processes().Process(target=run, args=given, daemon=True)
    process.start()
    return process
