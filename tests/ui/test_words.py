"""What people read: times in words, and texts that Streamlit must not read as Markdown."""

from datetime import UTC, datetime, timedelta

import pytest

from review.ui import words

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ({"seconds": 20}, "under a minute"),
        ({"minutes": 12}, "12 min"),
        ({"hours": 2}, "2 h"),
        ({"hours": 2, "minutes": 5}, "2 h 5 min"),
        ({"hours": 9, "minutes": 5}, "9 h"),
        ({"days": 1, "hours": 3}, "1 day"),
        ({"days": 13}, "13 days"),
    ],
)
def test_a_length_of_time_in_words(length: dict[str, int], said: str) -> None:
    assert words.span(timedelta(**length)) == said


def test_past_and_future_in_words() -> None:
    assert words.ago(NOW - timedelta(seconds=5), NOW) == "just now"
    assert words.ago(NOW - timedelta(minutes=12), NOW) == "12 min ago"
    assert words.due(NOW + timedelta(minutes=42), NOW) == "in 42 min"
    assert words.due(NOW - timedelta(hours=3), NOW) == "3 h overdue"


def test_counts_and_lists_as_sentences_have_them() -> None:
    assert words.plural(1, "task") == "1 task"
    assert words.plural(1200, "task") == "1,200 tasks"
    assert words.plural(2, "is", "are") == "2 are"
    assert words.joined([]) == ""
    assert words.joined(["a"]) == "a"
    assert words.joined(["a", "b", "c"]) == "a, b and c"
    assert words.name("needs_expertise") == "Needs expertise"


@pytest.mark.parametrize(
    "text", ["**b**", "![i](x)", "[l](x)", "<b>", "`c`", "$x$", "# h", "- l", "1. l", "_i_", "a|b", "~s~"]
)
def test_no_sign_of_markdown_is_left_unescaped(text: str) -> None:
    escaped = words.escaped(text)
    assert escaped.replace("\\", "") == text
    for at, sign in enumerate(escaped):
        if sign in "*![]()<>`$#-._|~":
            assert escaped[at - 1] == "\\"


def test_addresses_and_codes_are_broken_up_invisibly_and_lines_joined() -> None:
    assert words.escaped("a\n\n  b") == "a b"
    assert ":smile" not in words.escaped(":smile:").replace("\\", "")
    assert "https:/" not in words.escaped("https://x.y").replace("\\", "")
    assert "www." not in words.escaped("www.x.y").replace("\\", "")
