"""What leads and owners are told of how reviewers answer gold."""

from datetime import UTC, datetime

from review.domain.decisions import Verdict
from review.domain.gold import share_right
from review.domain.policies import GoldTasks
from review.queries.gold_checks import Checked
from review.ui import gold, gold_chart

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = GoldTasks(rate=0.1, bar=0.8, min_n=20)


def checked(person: str, n_right: int, n: int, name: str = "") -> Checked:
    return Checked(person, name or person.title(), share_right(n_right, n), None)


EVERYONE = [checked("ann", 59, 60), checked("bob", 5, 20), checked("cy", 16, 20), checked("di", 3, 4)]


def test_one_sentence_says_where_all_stand() -> None:
    assert gold.sentence(EVERYONE, RULES) == (
        "4 reviewers answered gold. Beside the bar of 80%: 1 above, 1 not told apart from it, 1 below and 1 with fewer "
        "than the 20 answers that it takes to tell."
    )
    assert gold.sentence(EVERYONE[:1], RULES) == "1 reviewer answered gold. Beside the bar of 80%: 1 above."
    assert gold.sentence(EVERYONE, None) == "4 reviewers answered gold; there is no bar."


def test_the_chart_has_a_row_for_each_who_answered() -> None:
    table = gold_chart.table([*EVERYONE, checked("eve", 0, 0)], RULES)
    assert list(table.Reviewer) == ["Ann, n = 60", "Bob, n = 20", "Cy, n = 20", "Di, n = 4"]
    assert list(table.Standing) == ["Above the bar", "Below the bar", "Not told apart", "Too few to tell"]
    twice = gold_chart.table([checked("a1", 1, 2, "Ann"), checked("a2", 2, 2, "Ann")], None)
    assert list(twice.Reviewer) == ["Ann (a1), n = 2", "Ann (a2), n = 2"]
    assert gold_chart.accuracy(EVERYONE, RULES).to_dict()["layer"]


def test_a_known_answer_says_the_correction() -> None:
    assert gold.known(Verdict.APPROVE, None).text == "✓ Approved"
    assert gold.known(Verdict.CORRECT, "Paris").text == "✎ Corrected: Paris"
    assert gold.known(Verdict.CORRECT, {"to": "ü"}).text == '✎ Corrected: {"to": "ü"}'
