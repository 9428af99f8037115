"""Choosing, previewing and downloading labelled corrections."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from review.commands import exports
from review.domain import content
from review.domain.decisions import Verdict
from review.errors import Unauthenticated
from review.queries import corrections, systems
from review.queries.corrections import Format, Wanted
from review.ui import filters, program, sign_in, words
from review.ui.page import Page, nothing

_PREVIEW = 50
_PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90}
_SHOWN = [
    "decided_at",
    "system",
    "external_id",
    "verdict",
    "output",
    "correction",
    "labels",
    "spans",
    "note",
    "reviewer",
]
_FORMATS = {
    Format.JSONL: ("JSON Lines", "application/x-ndjson", "every character as it was"),
    Format.CSV: ("CSV", "text/csv", "cells that a spreadsheet would run as formulas get an apostrophe"),
}


def chosen(page: Page) -> Wanted:
    """The filters, kept in the address."""
    with page.read() as session:
        slugs = systems.slugs(session)
    left, middle, right = st.columns([1.4, 1.6, 1])
    with left:
        system = filters.choice("System", "system", slugs, any_label="All systems")
    with middle:
        verdicts = filters.several("Verdict", "verdict", [verdict.value for verdict in Verdict])
    with right:
        period = filters.choice("Decided in the last", "period", list(_PERIODS), any_label="All time")
    since = _since(page.now, _PERIODS[period]) if period else None
    return Wanted(system, tuple(Verdict(verdict) for verdict in verdicts) or tuple(Verdict), since)


def _since(now: datetime, days: int) -> datetime:
    return now.replace(second=0, microsecond=0) - timedelta(days=days)


def preview(page: Page, wanted: Wanted) -> None:
    """How many there are, the newest of them as they are, and the files."""
    with page.read() as session:
        n = corrections.count(session, page.actor, wanted)
        rows = corrections.rows_as_dicts(session, page.actor, wanted, limit=_PREVIEW)
    if not n:
        nothing("No correction matches", "Decide tasks on the desk, or take a filter away.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{words.plural(n, 'decision matches', 'decisions match')}.**", width="stretch")
        for form in Format:
            _button(wanted, form)
    st.dataframe(_frame(rows), hide_index=True, height=440, column_config=_texts())
    first = f"the first {_PREVIEW} of them" if n > _PREVIEW else "all of them"
    st.text(f"Above: {first}, oldest item first. Reviewers are pseudonyms. Each download is put on record.")


def _button(wanted: Wanted, form: Format) -> None:
    name, mime, note = _FORMATS[form]
    file_name = f"corrections-{wanted.system or 'all'}.{form.value}"
    st.download_button(
        f"Download {name}", _file(wanted, form), file_name=file_name, mime=mime, help=f"{name}: {note}.",
        icon=":material/download:", key=f"download_{form.value}", on_click="ignore",
    )  # fmt: skip


def _file(wanted: Wanted, form: Format) -> Callable[[], bytes]:
    """Makes the file when it is asked for, if the person may still have it then."""
    kept = sign_in.kept()

    def made() -> bytes:
        store, now = program.store(), program.now()
        with store.read() as session:
            actor = sign_in.counting(session, kept, now)
        if actor is None:
            raise Unauthenticated("You are signed out. Sign in again to download.")
        file = io.BytesIO()
        exports.write_corrections(store, actor, wanted, form, file, now=now)
        return file.getvalue()

    return made


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([{name: _text(row[name]) for name in _SHOWN} for row in rows], columns=_SHOWN)
    return frame.assign(decided_at=pd.to_datetime(frame.decided_at))


def _text(value: Any) -> str:
    match value:
        case None | []:
            return ""
        case [str(), *_]:
            return ", ".join(value)
        case [{"label": _, "text": _}, *_]:
            return ", ".join(f"{span['label']}: “{span['text']}”" for span in value)
    return content.as_text(value)


def _texts() -> dict[str, Any]:
    """Every column as plain text: nothing of a model or a person becomes a link or an image."""
    plain = {name: st.column_config.TextColumn(words.name(name)) for name in _SHOWN}
    wide = {name: st.column_config.TextColumn(words.name(name), width=260) for name in ("output", "correction")}
    when = st.column_config.DatetimeColumn("Decided", format="D MMM YYYY, HH:mm", timezone=words.zone().key)
    return {**plain, **wide, "decided_at": when}
