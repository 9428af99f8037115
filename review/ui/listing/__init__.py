"""A table of plain texts, drawn without Markdown or HTML; its rows can be opened."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

Tone = Literal["", "muted", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One text, with what the mouse shows over it and how it is meant."""

    text: str
    title: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; one with `opens` can be opened by its id."""

    id: str
    cells: Sequence[Cell | str]
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, and its width as CSS says it where it should not be its share."""

    name: str
    width: str = ""


def listing(label: str, columns: Sequence[Column], rows: Sequence[Row], *, key: str, button_at: int = 0) -> str | None:
    """Draw the table. Returns the id of the row that was opened in this run, by a click or by the row's button."""
    data = {
        "label": label,
        "columns": [asdict(column) for column in columns],
        "rows": [_row(row) for row in rows],
        "buttonAt": button_at,
    }
    sent = _component()(key=key, data=data, on_open_change=_nothing).get("open")
    known = {row.id for row in rows if row.opens}
    return sent if isinstance(sent, str) and sent in known else None


def _nothing() -> None:
    pass


def _row(row: Row) -> dict[str, Any]:
    cells = [asdict(Cell(cell) if isinstance(cell, str) else cell) for cell in row.cells]
    return {"id": row.id, "cells": cells, "opens": row.opens}


@cache
def _component() -> ComponentRenderer:
    script = _read("review.ui.workbench", "text.js") + _read(__package__, "listing.js")
    style = _read(__package__, "style.css")
    return st.components.v2.component("holdpoint.listing", html='<div class="listing"></div>', css=style, js=script)


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
