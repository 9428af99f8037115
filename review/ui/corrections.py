"""Choosing, previewing and downloading labelled corrections."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from review.commands import exports
from review.domain.decisions import Verdict
from review.errors import Unauthenticated
from review.queries import systems
from review.queries.corrections import Format, Wanted
from review.ui import filters, program, sign_in, words
from review.ui.page import Page, nothing

_PREVIEW = 50
_PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90}
_SHOWN = {
    "decided_at": "Decided", "system": "System", "verdict": "Verdict", "output": "Output", "correction": "Correction",
    "labels": "Labels", "spans": "Marked words", "note": "Note", "reviewer": "Reviewer", "external_id": "External id",
}  # fmt: skip
_VERDICTS = {"correct": "Corrected it", "reject": "Rejected it", "approve": "Approved it as it was"}
_CORRECTIONS = ("correct", "reject")
_WIDE = {"output": 290, "correction": 290, "spans": 260, "note": 200}
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
        verdicts = filters.several("What people did", "verdict", _VERDICTS, default=_CORRECTIONS)
    with right:
        period = filters.choice("Decided in the last", "period", list(_PERIODS), any_label="All time")
    since = _since(page.now, _PERIODS[period]) if period else None
    return Wanted(system, tuple(Verdict(verdict) for verdict in verdicts), since)


def _since(now: datetime, days: int) -> datetime:
    return now.replace(second=0, microsecond=0) - timedelta(days=days)


def preview(page: Page, wanted: Wanted) -> None:
    """How many there are, the newest of them as they are, and the files."""
    n, rows = exports.preview_corrections(program.store(), page.actor, wanted, limit=_PREVIEW, now=page.now)
    if not n:
        nothing("No correction matches", "Decide tasks on the desk, take a filter away, or choose more verdicts.")
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
    frame = pd.DataFrame([{name: _text(name, row[name]) for name in _SHOWN} for row in rows], columns=list(_SHOWN))
    return frame.assign(decided_at=pd.to_datetime(frame.decided_at))


def _text(name: str, value: Any) -> str:
    match name, value:
        case _, None:
            return ""
        case "verdict", _:
            return words.VERDICTS[Verdict(value)]
        case "labels", _:
            return ", ".join(words.name(code) for code in value)
        case "spans", _:
            return ", ".join(f"{words.name(span['label'])}: “{span['text']}”" for span in value)
        case _, str():
            return value
    return json.dumps(value, ensure_ascii=False)


def _texts() -> dict[str, Any]:
    """Every column as plain text: nothing of a model or a person becomes a link or an image."""
    texts = {name: st.column_config.TextColumn(shown, width=_WIDE.get(name)) for name, shown in _SHOWN.items()}
    when = st.column_config.DatetimeColumn("Decided", format="D MMM YYYY, HH:mm", timezone=words.zone().key)
    return {**texts, "decided_at": when}
