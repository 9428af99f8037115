"""The workbench in a real browser: what it shows of hostile content, and what it sends for what a person does."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from review.ui.workbench import last_act
from review.ui.workbench.values import packed, unpacked
from tests.browser import workbench_page as cases
from tests.support.console import violations

ROOT = Path(__file__).parents[2]
Open = Callable[..., Page]
ROOT_NODE = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("workbench_page.py"))]
    options = f"--server.headless=true --server.port={port} --server.address=127.0.0.1 --server.fileWatcherType=none"
    server = subprocess.Popen(
        [*command, *options.split(), "--browser.gatherUsageStats=false"],
        cwd=tmp_path_factory.mktemp("server"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url)
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the page's server did not start")


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all: the pages after the first are loaded from its cache."""
    opened = browser.new_context(viewport={"width": 1280, "height": 720})
    yield opened
    opened.close()


@pytest.fixture
def desk(context: BrowserContext, address: str) -> Iterator[Open]:
    """Opens a case and waits until it takes decisions; fails on any error of the page at the end."""
    pages, problems = [], []

    def open_case(case: str, **options: str) -> Page:
        page = context.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        query = "&".join(f"{name}={value}" for name, value in {"case": case, **options}.items())
        page.goto(f"{address}/?{query}")
        ready(page)
        return page

    yield open_case
    for page in pages:
        page.close()
    assert problems == []


def ready(page: Page) -> None:
    page.locator(".desk[data-state=ready]").wait_for()


def next_item(page: Page, number: int) -> None:
    """Waits until that item is on the desk and takes decisions."""
    expect(page.locator(".input")).to_contain_text(f"Question {number}:")
    ready(page)


def acts(page: Page, n: int) -> list[dict[str, Any]]:
    """What Python got, once it has n acts."""
    shown = page.get_by_test_id("stText")
    for _ in range(60):
        got = json.loads(shown.inner_text())
        if len(got) >= n:
            return got  # type: ignore[no-any-return]
        page.wait_for_timeout(50)
    raise AssertionError(f"{n} acts expected, got {shown.inner_text()}")


def only_act(page: Page) -> dict[str, Any]:
    [act] = acts(page, 1)
    return act


def edit(page: Page) -> Locator:
    page.keyboard.press("e")
    return page.get_by_label("Correction", exact=True)


SELECT = """(box, [start, end]) => {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let node, found = false; (node = walker.nextNode());) {
    if (node.parentElement.closest('.badge, .tag')) continue;
    if (!found && node.data.includes(start)) found = !range.setStart(node, node.data.indexOf(start));
    if (!found || !node.data.includes(end)) continue;
    range.setEnd(node, node.data.lastIndexOf(end) + end.length);
    break;
  }
  getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
}"""


PRESS_AS_IT_SETTLES = """(desk) => new MutationObserver((_, watch) => {
  if (desk.dataset.state !== 'settling') return;
  watch.disconnect();
  desk.dataset.pressed = 'a';
  document.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', code: 'KeyA'}));
}).observe(desk, {attributeFilter: ['data-state']})"""


def select(page: Page, start: str, end: str) -> None:
    page.locator(".output .text").evaluate(SELECT, [start, end])


# Keys and buttons


@pytest.mark.parametrize(
    ("key", "action"), [("a", "approve"), ("x", "reject"), ("s", "skip"), ("g", "give_back"), ("A", "approve")]
)
def test_a_key_sends_one_act_for_the_task_shown(desk: Open, key: str, action: str) -> None:
    page = desk("answers")
    page.keyboard.press(key)
    next_item(page, 1)
    act = only_act(page)
    assert (act["action"], act["lease"], act["item_version"]) == (action, "lease-0", 1)


@pytest.mark.parametrize(
    ("name", "action"), [("Approve", "approve"), ("Reject", "reject"), ("Skip", "skip"), ("Give back", "give_back")]
)
def test_every_button_does_what_its_key_does_and_shows_it(desk: Open, name: str, action: str) -> None:
    page = desk("answers")
    button = page.locator(".acts").get_by_role("button", name=name)
    expect(button.locator("kbd")).to_have_text(name[0] if name != "Reject" else "X")
    button.click()
    next_item(page, 1)
    assert only_act(page)["action"] == action


def test_the_next_item_takes_the_same_places(desk: Open) -> None:
    page = desk("answers")
    where = page.locator(".acts").bounding_box()
    page.locator(".evidence").evaluate("(box) => { box.scrollTop = 300; }")
    page.keyboard.press("1")
    page.keyboard.press("a")
    next_item(page, 1)
    assert page.locator(".acts").bounding_box() == where
    assert page.locator(".evidence").evaluate("(box) => box.scrollTop") == 0
    expect(page.get_by_role("button", name="Unsupported")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("Approved. Next: ext-1")).to_be_attached()


def test_a_double_press_decides_one_task(desk: Open) -> None:
    page = desk("answers", slow="1")
    for _ in range(5):
        page.keyboard.press("a")
    next_item(page, 1)
    assert len(acts(page, 1)) == 1


def test_a_held_key_and_a_press_on_a_new_item_decide_nothing_more(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.down("a")
    for _ in range(40):
        page.keyboard.down("a")
        page.wait_for_timeout(10)
    page.keyboard.up("a")
    next_item(page, 1)
    assert len(acts(page, 1)) == 1
    page.locator(".desk").evaluate(PRESS_AS_IT_SETTLES)
    page.keyboard.press("s")
    next_item(page, 2)
    assert page.locator(".desk").get_attribute("data-pressed") == "a"
    assert [act["action"] for act in acts(page, 2)] == ["approve", "skip"]


def test_buttons_wait_for_the_answer(desk: Open) -> None:
    page = desk("answers", slow="1")
    page.keyboard.press("a")
    for name in ("Approve", "Correct", "Reject", "Hand up", "Skip", "Give back"):
        expect(page.locator(".acts").get_by_role("button", name=name)).to_be_disabled()
    next_item(page, 1)
    expect(page.locator(".acts").get_by_role("button", name="Approve")).to_be_enabled()


def test_keys_are_off_while_typing_and_with_modifiers(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.press("n")
    page.keyboard.type("axsgz1 all of these")
    expect(page.get_by_label("Note for the record")).to_have_value("axsgz1 all of these")
    page.keyboard.press("Escape")
    page.get_by_label("A field of the page").click()
    page.keyboard.type("axs")
    page.locator(".why").click()
    for key in ("Control+a", "Alt+a", "Meta+x"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert acts(page, 0) == []
    page.keyboard.press("x")
    next_item(page, 1)
    assert only_act(page)["note"] == "axsgz1 all of these"


def test_keys_end_with_the_component(desk: Open) -> None:
    page = desk("answers", gone="1")
    page.get_by_text("Away").click()
    expect(page.locator(".desk")).to_have_count(0)
    page.mouse.click(5, 300)
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert acts(page, 0) == []


def test_help_lists_the_keys_keeps_the_focus_and_takes_no_decision(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.press("?")
    box = page.get_by_role("dialog", name="Keys")
    expect(box).to_contain_text("approve")
    for _ in range(3):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{ROOT_NODE}.activeElement?.closest('dialog') !== null")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert acts(page, 0) == []


def test_undo_is_offered_counts_down_and_brings_the_work_back(desk: Open) -> None:
    page = desk("answers")
    select(page, "making", "desserts")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("n")
    page.keyboard.type("Why")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    next_item(page, 1)
    expect(page.locator(".undo")).to_contain_text("Rejected ext-0")
    page.keyboard.press("z")
    next_item(page, 0)
    assert acts(page, 2)[1] == {"action": "undo", "decision_id": "d-2"}
    expect(page.locator("mark")).to_have_text("making it ideal for desserts")
    expect(page.get_by_role("button", name="Omission")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Note for the record")).to_have_value("Why")


def test_an_undone_correction_is_there_to_go_on_with(desk: Open) -> None:
    page = desk("answers")
    editor = edit(page)
    editor.fill("My own words")
    editor.press("Control+Enter")
    next_item(page, 1)
    page.get_by_role("button", name="Undo").click()
    next_item(page, 0)
    expect(edit(page)).to_have_value("My own words")


def test_undo_vanishes_by_itself(desk: Open) -> None:
    page = desk("answers", undo="2")
    page.keyboard.press("a")
    next_item(page, 1)
    expect(page.locator(".undo")).to_contain_text("Approved")
    expect(page.locator(".undo")).to_be_empty(timeout=4000)
    page.keyboard.press("z")
    page.wait_for_timeout(200)
    assert len(acts(page, 1)) == 1


def test_sources_are_walked_with_j_and_k(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.press("j")
    expect(page.locator(".source").nth(1)).to_have_attribute("data-current", "")
    assert page.locator(".evidence").evaluate("(box) => box.scrollTop") > 0
    page.keyboard.press("k")
    assert page.locator(".evidence").evaluate("(box) => box.scrollTop") == 0


def test_an_empty_desk_takes_the_next_task(desk: Open) -> None:
    page = desk("empty")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    page.keyboard.press("t")
    next_item(page, 1)
    assert only_act(page) == {"action": "claim"}


# Marks


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("Start", "😀"),
        ("family", "and"),
        ("שלום", "עולם"),
        ("مرحبا", "بالعالم"),
        ("Zero", "width"),
        ("override", "hidden tags"),
        ("🏁", "now"),
    ],
)
def test_a_mark_is_exact_in_code_points(desk: Open, start: str, end: str) -> None:
    page = desk("mixed")
    select(page, start, end)
    page.keyboard.press("2")
    page.keyboard.press("x")
    act = acts(page, 1)[0]
    low, high = cases.MIXED.index(start), cases.MIXED.index(end, cases.MIXED.index(start)) + len(end)
    assert act["spans"] == [{"start": low, "end": high, "label": "contradicts_source", "text": cases.MIXED[low:high]}]
    assert act["labels"] == []


def test_a_mark_dragged_with_the_mouse_loses_the_space_at_its_ends(desk: Open) -> None:
    page = desk("answers")
    place = page.locator(".output .text").evaluate(
        """(box) => {
          const text = box.firstChild, range = document.createRange();
          range.setStart(text, text.data.indexOf(' fat'));
          range.setEnd(text, text.data.indexOf('double cream about') + 7);
          const rect = range.getBoundingClientRect();
          return [rect.left, rect.right, rect.top + rect.height / 2];
        }"""
    )
    page.mouse.move(place[0] + 1, place[2])
    page.mouse.down()
    page.mouse.move(place[1] - 1, place[2], steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Style").click()
    expect(page.locator("mark")).to_have_text("fat, double")
    page.keyboard.press("x")
    assert acts(page, 1)[0]["spans"][0]["text"] == "fat, double"


def test_marking_by_keyboard_alone(desk: Open) -> None:
    page = desk("mixed")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("End")
    page.keyboard.press("8")
    page.keyboard.press("Escape")
    expect(page.locator(".cursor")).to_have_count(0)
    page.keyboard.press("x")
    spans = acts(page, 1)[0]["spans"]
    assert [span["text"] for span in spans] == ["😀 here", "now"]
    assert all(cases.MIXED[span["start"] : span["end"]] == span["text"] for span in spans)


def test_the_word_cursor_moves_as_seen_in_right_to_left_words(desk: Open) -> None:
    page = desk("mixed")
    page.keyboard.press("m")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".cursor")).to_have_text("שלום")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".cursor")).to_have_text("עולם")


def test_a_mark_is_removed_by_its_label_or_delete(desk: Open) -> None:
    page = desk("answers")
    select(page, "Single cream", "12%")
    page.keyboard.press("1")
    page.get_by_role("button", name="Remove this mark").click()
    expect(page.locator("mark")).to_have_count(0)
    select(page, "thinner", "whipped.")
    page.keyboard.press("1")
    page.locator("mark").click()
    page.keyboard.press("Delete")
    expect(page.locator("mark")).to_have_count(0)


def test_marks_may_overlap_and_the_inner_one_is_removed_alone(desk: Open) -> None:
    page = desk("answers")
    select(page, "Single cream is", "whipped.")
    page.keyboard.press("1")
    select(page, "thinner", "thinner")
    page.keyboard.press("2")
    page.locator("mark", has_text="thinner").click()
    page.keyboard.press("Delete")
    page.keyboard.press("x")
    assert [span["text"] for span in acts(page, 1)[0]["spans"]] == ["Single cream is thinner and cannot be whipped."]


def test_a_mark_alone_sends_nothing(desk: Open) -> None:
    page = desk("answers")
    select(page, "thinner", "whipped.")
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    assert acts(page, 0) == []


def test_a_label_without_marked_words_is_for_the_whole_output(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.press("3")
    page.get_by_role("button", name="Unsafe").click()
    page.keyboard.press("8")
    page.keyboard.press("8")
    page.keyboard.press("a")
    act = acts(page, 1)[0]
    assert (act["labels"], act["spans"]) == (["omission", "unsafe"], [])


# Corrections


def test_a_correction_shows_its_difference_and_is_sent(desk: Open) -> None:
    page = desk("answers")
    editor = edit(page)
    expect(editor).to_have_value(cases.CREAM)
    editor.fill(cases.CREAM.replace("about 48%", "at least 48%").replace("is thinner and cannot", "is cannot"))
    expect(page.locator(".live del")).to_have_text(["about", "thinner and"])
    expect(page.locator(".live ins")).to_have_text(["at least"])
    page.get_by_role("button", name="Omission").click()
    editor.press("Control+Enter")
    next_item(page, 1)
    act = only_act(page)
    assert (act["action"], act["labels"], act["correction"].count("at least 48%")) == ("correct", ["omission"], 1)


def test_an_unchanged_correction_is_refused(desk: Open) -> None:
    page = desk("crlf")
    editor = edit(page)
    editor.press("Control+Enter")
    expect(page.get_by_text("Nothing was changed: approve instead.")).to_be_visible()
    editor.fill("First line.\nThird line.\n")
    editor.press("Control+Enter")
    assert acts(page, 1)[0]["correction"] == "First line.\r\nThird line.\r\n"


def test_escape_cancels_a_correction(desk: Open) -> None:
    page = desk("answers")
    edit(page).fill("Something else")
    page.keyboard.press("Escape")
    expect(page.locator(".output")).to_contain_text("Single cream has")
    page.keyboard.press("a")
    assert acts(page, 1)[0]["action"] == "approve"


def test_the_difference_of_5000_words_is_quick(desk: Open) -> None:
    page = desk("long")
    editor = edit(page)
    took = editor.evaluate(
        """(area) => {
          const words = area.value.split(' ').map((word, index) => (index % 3 ? word : `${word}x`));
          const start = performance.now();
          area.value = words.join(' ');
          area.dispatchEvent(new Event('input'));
          return performance.now() - start;
        }"""
    )
    expect(page.locator(".live ins").first).to_be_visible()
    assert took < 500


def test_hidden_characters_can_be_taken_out(desk: Open) -> None:
    page = desk("mixed")
    edit(page)
    page.get_by_role("button", name="Take out 6 hidden characters").click()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.get_by_role("button", name="Take out 6 hidden characters").click()
    page.get_by_role("button", name="Send correction").click()
    clean = acts(page, 1)[0]["correction"]
    assert clean == "".join(c for c in cases.MIXED if c not in "\u200b\u202e\u202c\U000e0069\U000e0067\U000e006e")


def test_a_refused_decision_keeps_the_work(desk: Open) -> None:
    page = desk("refused")
    where = page.locator(".acts").bounding_box()
    select(page, "making", "desserts")
    page.keyboard.press("1")
    page.keyboard.press("2")
    editor = edit(page)
    editor.fill("My own words")
    editor.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Refused: the queue is closed.")).to_be_visible()
    expect(editor).to_have_value("My own words")
    assert page.locator(".acts").bounding_box() == where
    page.keyboard.press("Escape")
    expect(page.locator("mark")).to_have_count(1)
    page.keyboard.press("a")
    act = acts(page, 2)[1]
    assert (act["labels"], len(act["spans"])) == (["contradicts_source"], 1)


def test_typed_fields_keep_every_type_order_and_digit(desk: Open) -> None:
    page = desk("actions")
    page.keyboard.press("e")
    page.get_by_label("amount_eur").fill("40")
    page.get_by_label("confirmed").select_option("true")
    page.get_by_label("approver").select_option("text")
    page.get_by_label("approver is").fill("Priya")
    page.get_by_role("button", name="Add an entry").click()
    page.get_by_label("code").nth(2).fill("C3")
    page.get_by_label("eur", exact=True).nth(2).fill("1e1")
    page.get_by_role("button", name="Remove lines 1").click()
    page.keyboard.press("Control+Enter")
    corrected = acts(page, 1)[0]["correction"]
    wanted = {
        "tool": "issue_credit",
        "arguments": {
            **cases.CREDIT["arguments"],  # type: ignore[dict-item]
            "amount_eur": 40.0,
            "confirmed": True,
            "approver": "Priya",
            "lines": [{"code": "B2", "eur": 22.5}, {"code": "C3", "eur": 10.0}],
        },
    }
    assert json.dumps(corrected) == json.dumps(wanted)


def test_a_number_that_is_none_is_refused_at_its_field(desk: Open) -> None:
    page = desk("actions")
    page.keyboard.press("e")
    amount = page.get_by_label("amount_eur")
    for wrong in ("35,5", "", "NaN", "1e999", "0x10", "forty"):
        amount.fill(wrong)
        amount.press("Control+Enter")
        expect(amount).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".field .trouble", has_text="This is no number.")).to_be_visible()
    assert acts(page, 0) == []


def test_a_label_is_corrected_by_an_alternative(desk: Open) -> None:
    page = desk("labels")
    page.keyboard.press("e")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert acts(page, 1)[0]["correction"] == "intent_02"


def test_a_label_is_corrected_by_the_mouse_or_in_own_words(desk: Open) -> None:
    page = desk("labels")
    page.locator(".output").get_by_role("button", name="intent_03").click()
    expect(page.get_by_role("radio", name="intent_03")).to_be_checked()
    page.get_by_label("Find or write another label").fill("lost_parcel")
    page.get_by_label("Find or write another label").press("Control+Enter")
    assert acts(page, 1)[0]["correction"] == "lost_parcel"


def test_many_labels_are_found_by_typing(desk: Open) -> None:
    page = desk("many-labels")
    page.keyboard.press("e")
    page.keyboard.type("_37")
    expect(page.get_by_role("radio", name="intent_01")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    assert acts(page, 1)[0]["correction"] == "intent_37"


def test_an_undone_correction_still_says_what_each_value_was(desk: Open) -> None:
    page = desk("actions")
    page.keyboard.press("e")
    page.get_by_label("amount_eur").fill("40")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".undo")).to_contain_text("Corrected ext-0")
    ready(page)
    page.keyboard.press("z")
    expect(page.locator(".undo")).to_be_empty()
    ready(page)
    page.keyboard.press("e")
    expect(page.get_by_label("amount_eur")).to_have_value("40.0")
    expect(page.locator(".field .was", has_text="was")).to_have_text(["was 35.0"])


def test_single_values_come_before_those_with_parts(desk: Open) -> None:
    page = desk("sorted-action")
    expect(page.locator(".output .tree > li > .key")).to_have_text(["tool", "arguments", "account", "lines", "1"])
    page.keyboard.press("e")
    expect(page.locator(".fields .key").first).to_be_attached()
    names = [name for name in page.locator(".fields .key").all_inner_texts() if name != "Values"]
    assert names[:3] == ["tool", "arguments", "account"]


@pytest.mark.parametrize("case", ["actions", "labels"])
def test_where_nothing_can_be_marked_m_says_so(desk: Open, case: str) -> None:
    page = desk(case)
    page.keyboard.press("m")
    expect(page.locator(".message")).to_have_text("Marks are for text: a label is for the whole output here.")


# Handing up and reading


def test_handing_up_asks_for_a_reason_and_a_note(desk: Open) -> None:
    page = desk("answers")
    page.keyboard.press("u")
    page.get_by_label("Reason").select_option(label="High risk")
    page.locator(".handing").get_by_label("Note").fill("Could harm someone")
    page.keyboard.press("Control+Enter")
    act = acts(page, 1)[0]
    assert act == {
        "action": "escalate",
        "lease": "lease-0",
        "item_version": 1,
        "reason": "high_risk",
        "note": "Could harm someone",
    }


def test_an_escalation_shows_who_handed_it_up_and_cannot_go_higher(desk: Open) -> None:
    page = desk("escalated")
    expect(page.get_by_role("region", name="Handed up")).to_contain_text("Jonas Lindqvist")
    expect(page.locator(".acts").get_by_role("button", name="Hand up")).to_be_disabled()
    page.keyboard.press("u")
    expect(page.locator(".handing")).to_have_count(0)


def test_reading_shows_the_decision_and_no_buttons(desk: Open) -> None:
    page = desk("read")
    decision = page.locator(".decided")
    expect(decision).to_contain_text("Corrected by Maya Okafor")
    expect(decision).to_contain_text("See the second source.")
    expect(decision).to_contain_text("Omission")
    expect(decision.locator("del")).to_have_text("cannot be whipped")
    expect(decision.locator("ins")).to_have_text("does not hold peaks")
    expect(page.locator("mark")).to_have_text("making it ideal for desserts")
    expect(page.locator(".acts")).to_be_hidden()
    page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert acts(page, 0) == []


def test_an_overdue_task_says_so_in_words(desk: Open) -> None:
    page = desk("answers", due="overdue")
    late = page.locator("time.late")
    expect(late).to_have_text("⚠ overdue by 12 min")
    assert "T" in (late.get_attribute("title") or "")


# Hostile content


@pytest.mark.parametrize("case", ["hostile", "hostile-action"])
def test_nothing_in_content_runs_or_is_fetched(desk: Open, case: str) -> None:
    page = desk(case)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    title = page.title()
    page.keyboard.press("1")
    page.keyboard.press("e")
    page.wait_for_timeout(200)
    page.locator(".editing :is(textarea, input)").first.fill(cases.HOSTILE + " more")
    page.keyboard.press("Control+Enter")
    acts(page, 1)
    ready(page)
    page.wait_for_timeout(300)
    inside = page.locator(".desk")
    assert inside.locator("script, img, a, iframe, style, link").count() == 0
    assert page.title() == title
    assert not [url for url in asked if ":9/" in url]
    expect(page.locator(".output")).to_contain_text("<script>document.title='pwned'</script>")


def test_what_cannot_be_seen_is_made_visible(desk: Open) -> None:
    page = desk("mixed")
    badges = page.locator(".output .badge")
    expect(badges).to_have_text(["U+200B ZWSP", "U+202E RLO", "U+202C PDF", "U+E0069 TAG i… “ign”"])
    shown = page.locator(".output .text").inner_text()
    assert "👨‍👩‍👧" in shown
    assert "שלום עולם" in shown
    assert "\u202e" not in shown
    assert "\u200b" not in shown


@pytest.mark.parametrize("case", ["huge", "badges"])
def test_a_mebibyte_on_one_line_does_not_freeze_the_page(desk: Open, case: str) -> None:
    page = desk(case)
    started = time.perf_counter()
    page.keyboard.press("1")
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    page.locator(".output").get_by_role("button", name="Show the next").click()
    assert page.locator(".output .text").evaluate("(box) => box.textContent.length") > 20_000
    assert time.perf_counter() - started < 3
    page.keyboard.press("a")
    ready(page)
    assert acts(page, 1)[0]["action"] == "approve"


def test_a_text_too_long_to_edit_says_so(desk: Open) -> None:
    page = desk("huge")
    page.keyboard.press("e")
    expect(page.get_by_role("alert").filter(has_text="too long to edit here")).to_be_visible()


# For everybody


@pytest.mark.parametrize("case", ["answers", "mixed", "actions", "labels", "read", "empty", "escalated"])
def test_nothing_serious_against_accessibility(desk: Open, case: str) -> None:
    page = desk(case)
    scan(page)
    if case in ("read", "empty"):
        return
    if case in ("answers", "mixed"):
        for label in range(8):
            page.keyboard.press("m")
            for _ in range(label * 2):
                page.keyboard.press("ArrowRight")
            page.keyboard.press(str(label + 1))
            page.keyboard.press("m")
        page.keyboard.press("5")
        scan(page)
    page.keyboard.press("e")
    scan(page)


def scan(page: Page) -> None:
    assert violations(page, "[data-testid=stBidiComponentIsolated]") == []


def test_a_hold_that_ends_is_said_and_cuts_nothing(desk: Open) -> None:
    page = desk("crowded", hold="90", due="overdue")
    expect(page.locator(".tally")).to_contain_text("your hold ends in")
    cut = """(box) => [box, ...box.children].filter((each) => each.scrollWidth > each.clientWidth + 1).length"""
    for part in (".standing", ".under", ".tally"):
        assert page.locator(part).evaluate(cut) == 0, part


def test_the_desk_fits_one_screen(desk: Open) -> None:
    page = desk("answers")
    box = page.locator(".desk").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 720
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# What Python makes of it


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "destroy"},
        {"action": "approve", "reviewer": "somebody else"},
        {"action": "correct", "correction": {"n": "NaN"}},
        {"action": "approve", "spans": [{"start": 0}]},
        {"action": "correct", "correction": nested(100)},
        "approve",
        7,
    ],
)
def test_an_act_that_is_none_is_ignored(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.session_state", {"workbench": {"act": sent}})
    assert last_act("workbench") is None


def test_values_come_back_as_they_went() -> None:
    value = {"b": 1, "a": [35.0, True, None, "x", {"o": {"n": 2**60}}], "10": {}, "2": []}
    assert json.dumps(unpacked(packed(value))) == json.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sent", [5, {"n": "NaN"}, {"n": "1e999"}, {"n": "true"}, {"n": 5}, {"o": 1}, {"o": [["a"]]}, {"o": [[1, 2]]}, {}]
)
def test_what_is_no_value_is_refused(sent: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpacked(sent)
