"""Who is meant by a name that others wrote: the same person, however it is spelled."""

import re
import unicodedata

_INSIDE = re.compile(r"<([^<>]*)>\s*$")


def identity(name: str) -> str:
    """A username or e-mail to compare by: without case and spaces around it, the address of “Ann <ann@example.com>”."""
    inside = _INSIDE.search(name)
    folded = unicodedata.normalize("NFKC", inside.group(1) if inside else name).casefold()
    return unicodedata.normalize("NFKC", folded).strip()
