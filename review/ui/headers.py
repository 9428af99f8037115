"""HTTP headers that keep a page to itself: no script, image, frame or connection but the program's own."""

import base64
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from review.ui import frame

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def _hashes() -> str:
    # The two documents that hold scripts of their own; every other script is a file.
    cookies = _read("extra_streamlit_components", "CookieManager/frontend/build/index.html")
    scripts = [script for document in (frame.document(), cookies) for script in _INLINE.findall(document)]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _read(package: str, path: str) -> str:
    spec = find_spec(package)
    folder = spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else "."
    return (Path(folder) / path).read_text(encoding="utf-8", errors="strict")


def content_security_policy() -> str:
    """The policy under which Streamlit works: its components load their scripts as blobs, and it styles inline."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' blob: {_hashes()}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "manifest-src 'self'",
            "frame-ancestors 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
        ]
    )


class SecurityHeaders:
    """Adds the headers to every answer that has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the answer's start gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
