"""The document that every address of the console begins with: Streamlit's own, told where the program is.

Without being told, Streamlit looks for the program below the page's own path first, and fails twice a visit.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGES = Path(__file__).parents[2] / "pages"
_NAMES = ("", "home", "account", *(path.stem for path in sorted(PAGES.glob("*.py"))))
_HERE = "<script>window.__streamlit = { BACKEND_BASE_URL: new URL('.', location.href).href }</script>"


@cache
def document() -> str:
    """Streamlit's document; the program is where the document's scripts are."""
    return (
        files("streamlit")
        .joinpath("static/index.html")
        .read_text(encoding="utf-8")
        .replace("<head>", f"<head>{_HERE}", 1)
    )


async def _answer(_request: Request) -> HTMLResponse:
    return HTMLResponse(document(), headers={"Cache-Control": "no-cache"})


ROUTES = [Route(f"/{name}", _answer) for name in _NAMES]
