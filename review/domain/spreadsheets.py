"""Cells that a spreadsheet would run as a formula, made plain text."""

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutralised(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would read a formula (OWASP, CSV injection)."""
    return "'" + text if text.lstrip(" \u00a0\ufeff\u200b").startswith(_STARTS_FORMULA) else text
