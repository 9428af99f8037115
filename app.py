"""The whole program as one ASGI app: console, API under /api/v1, worker. `streamlit run app.py` starts it."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from review.api.app import create_api
from review.delivery import worker
from review.settings import settings
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.ui import failures, frame, program, sockets
from review.ui.headers import SecurityHeaders

store = Store(settings().database_url)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Migrate, start the worker, and keep what start-up made out of every later garbage collection."""
    await asyncio.to_thread(program.begin, store)
    stop = threading.Event()
    work = (store, AuditKey(settings().data_dir), settings().tick_seconds, stop)
    thread = threading.Thread(target=worker.run, args=work, name="worker")
    if settings().worker_in_process:
        thread.start()
    sockets.send_at_once()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # Streamlit collects after every run anyway
    yield
    stop.set()
    if settings().worker_in_process:
        await asyncio.to_thread(thread.join, 30)
    store.close()


app = st.App(
    "review/ui/shell.py",
    lifespan=lifespan,
    routes=[Mount("/api/v1", create_api(store)), *frame.ROUTES],
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=failures.show,
)
