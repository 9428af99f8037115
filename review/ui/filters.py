"""Filters that live in the address: a view can be kept, shared, and gone back to."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st


def choice(
    label: str, parameter: str, options: Sequence[str], *, any_label: str = "Any",
    names: Mapping[str, str] | None = None,
) -> str | None:  # fmt: skip
    """One of the options or none, kept in the address under `parameter`; `names` are how they are shown."""
    wanted = st.query_params.get(parameter)
    key = _shown(parameter, wanted if wanted in options else None)
    return st.selectbox(
        label, options, index=None, placeholder=any_label, key=key, on_change=_keep, args=(parameter, key),
        format_func=lambda option: names[option] if names else option,
    )  # fmt: skip


def text(label: str, parameter: str, placeholder: str) -> str:
    """A text, kept in the address under `parameter`."""
    key = _shown(parameter, st.query_params.get(parameter, ""))
    return st.text_input(
        label, placeholder=placeholder, key=key, on_change=_keep, args=(parameter, key), icon=":material/search:"
    ).strip()


def several(label: str, parameter: str, options: Mapping[str, str], *, default: Sequence[str]) -> list[str]:
    """One or more of the options (with their names), kept in the address under `parameter`; at first the default."""
    wanted = st.query_params.get_all(parameter)
    key = _shown(parameter, [option for option in options if option in wanted] or list(default))
    return st.pills(
        label, list(options), selection_mode="multi", key=key, on_change=_keep, args=(parameter, key),
        format_func=lambda option: options[option],
    )  # fmt: skip


def _shown(parameter: str, value: Any) -> str:
    key = f"filter_{parameter}"
    st.session_state[key] = value
    return key


def _keep(parameter: str, key: str) -> None:
    """Write what was chosen into the address; the place in a list of other rows means nothing then."""
    value = st.session_state[key]
    st.query_params.pop("before", None)
    if value:
        st.query_params[parameter] = value
    else:
        st.query_params.pop(parameter, None)
