"""What two texts differ in, in colours that can be read in both themes."""

import streamlit as st

_COLOURS = {"light": ("#15693b", "#a8201a", "#1d2126"), "dark": ("#6fdc9b", "#ff9a92", "#e8eaed")}


def draw(difference: str, *, height: int) -> None:
    """The lines that were added, removed, and around them."""
    added, removed, other = _COLOURS["dark" if st.context.theme.type == "dark" else "light"]
    st.html(f"""<style>.st-key-difference code span {{ color: {other} !important; }}
.st-key-difference code .inserted, .st-key-difference code .inserted span {{ color: {added} !important; }}
.st-key-difference code .deleted, .st-key-difference code .deleted span {{ color: {removed} !important; }}</style>""")
    with st.container(key="difference"):
        st.code(difference, language="diff", height=height)
