// What opens inside the output's frame: the correction, edited in place, and the form to hand up.

const LONGEST_EDIT = 300000; // characters of one text that a browser still edits smoothly
const MOST_FIELDS = 600;
const HAND_UP_REASONS = {
  needs_expertise: "Needs expertise",
  policy_unclear: "Policy unclear",
  high_risk: "High risk",
  suspected_incident: "Suspected incident",
  other: "Other",
};

function openPanel(desk, kind, editor, title, submit) {
  const { parts, work } = desk,
    form = node("fieldset", `form ${kind}`),
    trouble = node("p", "trouble"),
    foot = node("div", "foot");
  trouble.setAttribute("role", "alert");
  foot.append(
    control(title, "primary", submit, "Ctrl+Enter"),
    control("Cancel", "", () => closePanel(desk), "Esc"),
    trouble,
  );
  form.append(node("legend", "unseen", title), editor.node, foot);
  form.addEventListener("keydown", (event) => panelKey(event, submit, () => closePanel(desk)));
  work.panel = { kind, editor, form, trouble };
  work.cursor = null;
  parts.frame.dataset.panel = kind;
  parts.panel.hidden = false;
  parts.panel.replaceChildren(form);
  drawLegend(desk);
  refresh(desk);
  editor.focus();
}

function panelKey(event, submit, cancel) {
  if (event.repeat || event.isComposing) return;
  const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target.type === "radio");
  if (!isSend && event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  if (isSend) submit();
  else cancel();
}

// A panel that is about something else than the output: labels and the note have to wait.
function isAside(panel) {
  return Boolean(panel) && panel.kind !== "correct";
}

// The refusal of what was sent, at the field that it names, or below the form where it names none.
function showRefusal(desk) {
  const { editor, trouble } = desk.work.panel,
    { message } = desk.data;
  editor.focus();
  if (message?.kind !== "error") return;
  const steps = isAside(desk.work.panel) ? [] : fieldSteps(message.field);
  if (!steps) return;
  if (editor.refuse?.(steps, message.text)) return;
  trouble.textContent = plain(message.text);
}

function closePanel(desk) {
  const { parts, work } = desk;
  if (desk.busy || !work.panel) return;
  work.panel.editor.leave?.();
  dropPanel(desk);
  drawLegend(desk);
  refresh(desk);
  parts.output.focus({ preventScroll: true });
}

function dropPanel(desk) {
  desk.work.panel = null;
  delete desk.parts.frame.dataset.panel;
  desk.parts.panel.hidden = true;
  desk.parts.panel.replaceChildren();
}

function openCorrection(desk, picked) {
  const { item } = desk.data;
  if (!isOpen(desk) || !isTaken(desk, "correct")) return;
  const obstacle = tooLarge(item.output);
  if (obstacle) return tell(desk, { kind: "error", text: obstacle });
  openPanel(desk, "correct", editorFor(item, picked ?? desk.work.draft), "Send correction", () => sendCorrection(desk));
}

function tooLarge(output) {
  if (typeof output === "string")
    return output.length > LONGEST_EDIT ? "This text is too long to edit here. Reject it, or hand it up." : "";
  return leafCount(output) > MOST_FIELDS ? "This has too many values to edit here. Reject it, or hand it up." : "";
}

function editorFor(item, draft) {
  if (item.kind === "classification" && (typeof item.output === "string" || otherValues(item).length))
    return choiceEditor(item, draft);
  return typeof item.output === "string" ? textEditor(item.output, draft) : fieldsEditor(item.output, draft);
}

function sendCorrection(desk) {
  const { work, data } = desk,
    { trouble, editor } = work.panel;
  trouble.textContent = "";
  try {
    const correction = editor.value();
    if (sameValue(correction, data.item.output)) throw new Refused("Nothing was changed: approve instead.");
    if (typeof correction === "string" && !correction.trim())
      throw new Refused("The correction is empty: write it, or reject.");
    work.draft = correction;
    send(desk, "correct", { ...judgement(desk), correction });
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    trouble.textContent = refusal.message;
  }
}

function textEditor(output, draft) {
  const made = node("div", "editing"),
    area = node("textarea", "text"),
    live = node("div", "live"),
    hidden = hiddenCount(output);
  area.value = output;
  const original = area.value;
  area.value = draft ?? output;
  area.dir = "auto";
  area.setAttribute("aria-label", "Correction");
  live.tabIndex = 0;
  live.setAttribute("role", "region");
  live.setAttribute("aria-label", "Difference");
  const unchanged = node("p", "muted", "No change yet. What you change shows here.");
  const show = debounced(
    () => live.replaceChildren(area.value === original ? unchanged : drawDifference(original, area.value)),
    output.length,
  );
  area.addEventListener("input", show);
  made.append(area, live);
  const takeOut = () => {
    area.value = withoutHidden(area.value);
    show();
  };
  if (hidden)
    live.before(
      control(
        `Take out ${hidden.toLocaleString("en")} hidden ${hidden === 1 ? "character" : "characters"}`,
        "quiet",
        takeOut,
      ),
    );
  show();
  return {
    node: made,
    value: () => (area.value === original ? output : withLineEnds(area.value, output)),
    focus: () => focusAt(area, draft ? area.value.length : 0),
  };
}

function focusAt(area, place) {
  area.focus();
  area.setSelectionRange(place, place);
  area.scrollTop = 0;
}

function debounced(act, length) {
  let waiting = 0;
  return () => {
    clearTimeout(waiting);
    if (length < 40000) act();
    else waiting = setTimeout(act, 250);
  };
}

function fieldsEditor(output, draft) {
  const made = node("div", "editing fields"),
    field = fieldFor("Values", draft ?? output, output);
  made.append(field.node);
  return { node: made, value: field.read, focus: field.focus, refuse: field.refuse };
}

// Radio buttons of the alternatives; a text finds one of them, or is itself the correction.
function choiceEditor(item, picked) {
  const made = node("div", "editing"),
    list = node("div", "choices"),
    free = node("input"),
    others = otherValues(item);
  const isText = typeof item.output === "string",
    firstPick = picked ?? others[0]?.value;
  const rows = others.map((each) => choiceRow(inline(each.value), share(each.confidence), each.value));
  const own = choiceRow("", "as written", null);
  own.row.hidden = true;
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-label", "Corrected label");
  list.append(...rows.map((each) => each.row), own.row);
  free.setAttribute("aria-label", "Find or write another label");
  free.placeholder = "Find or write another label";
  free.addEventListener("input", () => findChoice(free.value.trim(), rows, own));
  const match = rows.find((each) => sameValue(each.value, firstPick));
  if (match) match.radio.checked = true;
  else if (isText && firstPick) {
    free.value = firstPick;
    findChoice(firstPick, rows, own);
  }
  const was = node("p", "muted", "Instead of ");
  was.append(word("del", "", inline(item.output)));
  made.append(was, ...(isText ? [free] : []), list);
  const value = () => {
    const taken = [...rows, own].find((each) => each.radio.checked);
    if (!taken) throw new Refused("Pick a label, or write one.");
    return taken.value;
  };
  return { node: made, value, focus: () => (match && rows.length <= 12 ? match.radio : free).focus() };
}

function choiceRow(text, aside, value) {
  const row = node("label", "choice"),
    radio = node("input"),
    name = word("span", "", text);
  radio.type = "radio";
  radio.name = "choice";
  row.append(radio, name, node("span", "muted", aside));
  return { row, radio, name, value, text };
}

function findChoice(written, rows, own) {
  const wanted = written.toLowerCase(),
    seen = rows.filter((each) => each.text.toLowerCase().includes(wanted));
  rows.forEach((each) => {
    each.row.hidden = !seen.includes(each);
  });
  const exact = rows.find((each) => each.text.toLowerCase() === wanted);
  own.value = written;
  own.name.replaceChildren();
  drawPieces(own.name, written);
  own.row.hidden = !written || Boolean(exact);
  const taken = exact ?? seen[0] ?? own;
  taken.radio.checked = true;
}

function openHandUp(desk) {
  if (!isOpen(desk) || !desk.data.can_escalate) return;
  openPanel(desk, "escalate", handUpEditor(desk), "Hand up", () =>
    send(desk, "escalate", desk.work.panel.editor.value()),
  );
}

function handUpEditor(desk) {
  const made = node("div", "handing"),
    reason = options(Object.keys(HAND_UP_REASONS)),
    note = node("textarea"),
    kept = desk.parts.note;
  [...reason.options].forEach((each) => {
    each.textContent = HAND_UP_REASONS[each.value];
  });
  note.rows = 2;
  note.value = kept.value;
  note.placeholder = "What should the next person know?";
  for (const [name, input] of [
    ["Reason", reason],
    ["Note", note],
  ]) {
    const label = node("label");
    label.append(node("span", "key", name), input);
    made.append(label);
  }
  return {
    node: made,
    value: () => ({ reason: reason.value, note: note.value.trim() }),
    focus: () => reason.focus(),
    leave: () => {
      kept.value = note.value;
    },
  };
}
