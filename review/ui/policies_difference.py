"""What two texts differ in, in colours that can be read in both themes."""

import streamlit as st

_COLOURS = {"light": ("#15693b", "#a8201a", "#1d2126"), "dark": ("#6fdc9b", "#ff9a92", "#e8eaed")}


def draw(difference: str, *, key: str) -> None:
    """The lines that were added, removed, and around them."""
    added, removed, other = _COLOURS["dark" if st.context.theme.type == "dark" else "light"]
    changed = {"inserted": added, "deleted": removed}
    style = "".join(
        f"[class*=st-key-difference_] code {part} {{ color: {colour} !important; }}\n"
        for part, colour in (("span", other), *((f":is(.{kind}, .{kind} span)", its) for kind, its in changed.items()))
    )
    st.html(f"<style>{style}</style>")
    with st.container(key=f"difference_{key}"):
        st.code(difference, language="diff", wrap_lines=True)  # a part that scrolls could not be reached by keys
