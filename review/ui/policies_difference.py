"""What two texts differ in, in colours that can be read in both themes."""

import streamlit as st

_COLOURS = {"light": ("#15693b", "#a8201a", "#1d2126"), "dark": ("#6fdc9b", "#ff9a92", "#e8eaed")}


def draw(difference: str, *, key: str) -> None:
    """The lines that were added, removed, and around them."""
    added, removed, other = _COLOURS["dark" if st.context.theme.type == "dark" else "light"]
    st.html(f"""<style>[class*="st-key-difference_"] code span {{ color: {other} !important; }}
[class*="st-key-difference_"] code .inserted, [class*="st-key-difference_"] code .inserted span {{ color: {added} !important; }}
[class*="st-key-difference_"] code .deleted, [class*="st-key-difference_"] code .deleted span {{ color: {removed} !important; }}</style>""")
    with st.container(key=f"difference_{key}"):
        st.code(difference, language="diff", wrap_lines=True)  # a part that scrolls could not be reached by keys
