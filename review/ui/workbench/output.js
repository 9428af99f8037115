// The right side: the output as it is read and marked, the labels, and what was decided.

function isMarkable(item) {
  return typeof item.output === "string" && item.kind !== "classification";
}

function drawOutput(desk) {
  const { item } = desk.data,
    { output } = desk.parts;
  desk.sheet = isMarkable(item) ? sheet(item.output, () => paint(desk)) : null;
  if (desk.sheet) output.replaceChildren(desk.sheet.box);
  else if (item.kind === "classification") output.replaceChildren(chosen(item), ...alternatives(desk));
  else output.replaceChildren(reading(item.output));
  output.scrollTop = 0;
  drawLegend(desk);
  if (desk.sheet) paint(desk);
}

function paint(desk) {
  const { data, work, sheet: made, parts } = desk,
    top = parts.output.scrollTop,
    isRead = data.mode === "read";
  const marks = isRead ? (data.decided?.spans ?? []) : work.marks;
  const remove = isRead ? null : (mark) => removeMark(desk, mark);
  const cursor = work.cursor ? [{ ...cursorRange(work.cursor), kind: "cursor" }] : [];
  drawSheet(made, [
    ...helpLayers(data.help_marks ?? []),
    ...flagLayers(data.item.flags),
    ...markLayers(marks, data.taxonomy, remove),
    ...cursor,
  ]);
  parts.output.scrollTop = top;
}

function drawLegend(desk) {
  const { data, parts, work } = desk,
    legend = [];
  if (work.panel?.kind === "correct") return parts.legend.replaceChildren();
  if (desk.sheet && data.help_marks?.length) legend.push(legendOf("help", "dotted", "not found in the evidence"));
  if (desk.sheet && data.mode === "work" && work.cursor)
    legend.push(node("span", "muted", "← → move, Shift extends, 1–8 label, Esc ends"));
  else if (desk.sheet && data.mode === "work")
    legend.push(
      node("span", "muted", "select words, then 1–8"),
      control("or by keyboard", "quiet link", () => toggleCursor(desk), "M"),
    );
  return parts.legend.replaceChildren(...legend);
}

function legendOf(className, sample, text) {
  const made = node("span", "muted");
  made.append(node("span", className, sample), ` ${text}`);
  return made;
}

function chosen(item) {
  const made = node("div", "chosen"),
    text = inline(item.output);
  made.append(word("strong", text.length > 60 ? "" : "big", text));
  if (typeof item.confidence === "number") made.append(node("span", "muted", share(item.confidence)));
  return made;
}

function share(confidence) {
  return typeof confidence === "number" ? confidence.toFixed(2) : "";
}

function otherValues(item) {
  return item.alternatives.filter((each) => !sameValue(each.value, item.output));
}

function alternatives(desk) {
  const { item, mode } = desk.data,
    others = otherValues(item);
  if (!others.length) return [];
  const list = node("div", "choices");
  list.append(
    ...others.map((each) => {
      const row = node(mode === "work" ? "button" : "div", "choice");
      row.append(word("span", "", inline(each.value)), node("span", "muted", share(each.confidence)));
      if (mode === "work") row.type = "button";
      if (mode === "work") row.addEventListener("click", () => openCorrection(desk, each.value));
      return row;
    }),
  );
  return [node("h4", "", mode === "work" ? "Alternatives – pick one to correct" : "Alternatives"), list];
}

function drawChips(desk) {
  const { data, parts, work } = desk;
  parts.chips.replaceChildren(
    ...data.taxonomy.map((entry, index) => {
      const chip = word("button", "label", entry.name);
      if (index < 8) chip.prepend(node("kbd", "", String(index + 1)), " ");
      chip.type = "button";
      chip.dataset.tone = labelTone(data.taxonomy, entry.code);
      chip.setAttribute("aria-pressed", String(work.labels.has(entry.code)));
      chip.addEventListener("mousedown", (event) => event.preventDefault());
      chip.addEventListener("click", () => applyLabel(desk, index));
      return chip;
    }),
  );
}

// Labels the marked words if there are any, and the whole output if not.
function applyLabel(desk, index) {
  const entry = desk.data.taxonomy[index],
    { work, sheet: made } = desk;
  if (!entry || desk.busy || isAside(work.panel)) return;
  const range = made && !work.panel && (work.cursor ? cursorRange(work.cursor) : selectedRange(desk.root, made));
  const exact = range && trimmed(made.text, range);
  if (exact) labelWords(desk, exact, entry);
  else labelWhole(desk, entry);
}

function labelWords(desk, exact, entry) {
  const { work } = desk,
    count = work.marks.length;
  work.marks = toggleMark(work.marks, exact, entry.code);
  if (work.cursor) work.cursor.anchor = work.cursor.at;
  document.getSelection()?.removeAllRanges();
  paint(desk);
  say(desk, `${work.marks.length > count ? "Marked" : "No longer marked"} as ${entry.name}: ${plain(exact.text, 120)}`);
}

function labelWhole(desk, entry) {
  const { labels } = desk.work;
  if (!labels.delete(entry.code)) labels.add(entry.code);
  [...desk.parts.chips.children].forEach((chip, place) =>
    chip.setAttribute("aria-pressed", String(labels.has(desk.data.taxonomy[place].code))),
  );
  say(desk, `${entry.name} ${labels.has(entry.code) ? "on" : "off"} for the whole output`);
}

function removeMark(desk, mark) {
  if (desk.busy) return;
  desk.work.marks = desk.work.marks.filter((each) => each !== mark);
  paint(desk);
  desk.parts.output.focus({ preventScroll: true });
  say(desk, "Mark removed");
}

function toggleCursor(desk) {
  const { work, sheet: made, parts } = desk;
  if (desk.busy || work.panel) return;
  if (!made) return tell(desk, { kind: "info", text: "Marks are for text: a label is for the whole output here." });
  const from = selectedRange(desk.root, made);
  work.cursor = work.cursor ? null : wordCursor(made, from?.start ?? 0);
  document.getSelection()?.removeAllRanges();
  drawLegend(desk);
  paint(desk);
  parts.output.focus({ preventScroll: true });
  say(desk, work.cursor ? "Marking. Arrows move by word, Shift extends, 1 to 8 label, Escape ends" : "Marking ended");
  if (work.cursor) showCursor(desk);
  return undefined;
}

function showCursor(desk) {
  paint(desk);
  const seen = desk.parts.output.querySelector(".cursor");
  seen?.scrollIntoView({ block: "nearest" });
  const { start, end } = cursorRange(desk.work.cursor);
  say(desk, plain(rangeOf(desk.sheet, start, end).toString(), 120));
}

function drawDecided(desk) {
  const { decided, item } = desk.data,
    place = desk.parts.decided;
  place.hidden = desk.data.mode !== "read" || !decided;
  if (place.hidden) return;
  const line = node("p");
  line.append(
    node("strong", "", DONE[decided.verdict] ?? decided.verdict),
    " by ",
    word("span", "", decided.by),
    ", ",
    timed("", `${span(Date.now() + desk.skew - Date.parse(decided.at))} ago`, decided.at),
  );
  place.replaceChildren(line);
  if (decided.correction !== null && decided.correction !== undefined)
    place.append(node("h4", "", "Correction"), correctionRead(item.output, decided.correction));
  if (decided.labels?.length)
    place.append(
      node("h4", "", "Labels"),
      ...decided.labels.map((code) => word("span", "chip kind", labelName(desk.data.taxonomy, code))),
    );
  if (decided.note) place.append(node("h4", "", "Note"), block(decided.note));
}

function correctionRead(before, after) {
  const text = (value) => (typeof value === "string" ? value : indented(value));
  return drawDifference(text(before), text(after));
}
