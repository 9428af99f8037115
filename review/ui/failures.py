"""What a person sees when something fails that nobody foresaw: a reference, and never a traceback."""

import secrets

import streamlit as st
import structlog

log = structlog.get_logger(__name__)


def reported(error: Exception) -> str:
    """Log an unforeseen error; returns the sentence with the reference that finds it in the log."""
    reference = secrets.token_hex(4)
    log.error("console.failed", reference=reference, exc_info=error)
    return f"Something failed and was logged. Reference {reference}: quote it when you ask for help."


def show(error: Exception) -> bool:
    """Draw an unforeseen error in place of Streamlit's own display of it."""
    st.error(reported(error), icon=":material/error:")
    return True
