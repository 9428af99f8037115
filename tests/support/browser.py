"""A real browser for the tests: found, else installed; never skipped. As a module, it makes sure there is one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--process-per-site",  # a process a tab costs a third more of a visit
]
_PACKAGES = {
    "apt-get": (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium", "fonts-noto-core"]),
    "dnf": (["dnf", "install", "-y", "chromium"],),
    "apk": (["apk", "add", "chromium"],),
    "pacman": (["pacman", "-Sy", "--noconfirm", "chromium"],),
}
HELP = (
    "No browser was found, and none could be installed. Install Chromium or Chrome (on Debian: "
    "sudo apt-get install chromium), or set HOLDPOINT_CHROMIUM to the path of one, and run make test again."
)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome: from HOLDPOINT_CHROMIUM, the search path, or playwright's own download."""
    named = os.environ.get("HOLDPOINT_CHROMIUM")
    if named:
        return named
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    return str(_MAC) if _MAC.exists() else _downloaded()


def _downloaded() -> str | None:
    try:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Error:
        return None
    return path if path and Path(path).exists() else None


def _install_by_playwright() -> None:
    _run([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)


def _install_by_system() -> None:
    manager = next((name for name in _PACKAGES if shutil.which(name)), None)
    may = os.name == "posix" and (os.geteuid() == 0 or _run(["sudo", "-n", "true"], seconds=10))
    if manager is None or not may:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for command in _PACKAGES[manager]:
        _run([*prefix, *command], seconds=600)


def _run(command: Sequence[str], seconds: int) -> bool:
    print("…", " ".join(command), flush=True)
    try:
        return subprocess.run(command, timeout=seconds, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def chromium() -> str:
    """The path of a browser, installed first if there is none; raises RuntimeError with what to do otherwise."""
    for install in (None, _install_by_playwright, _install_by_system):
        if install is not None:
            install()
        if found := find_chromium():
            return found
    raise RuntimeError(HELP)


if __name__ == "__main__":
    try:
        print(f"browser: {chromium()}")
    except RuntimeError as error:
        sys.exit(str(error))
