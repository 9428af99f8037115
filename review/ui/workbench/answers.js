// What people said who disagree, side by side, without their names; one press takes an answer over.

const SAID = {
  approve: ["✓", "Approve it as it is"],
  correct: ["✎", "Correct it"],
  reject: ["✕", "Reject it"],
};

function drawAnswers(desk) {
  const { answers } = desk.data,
    place = desk.parts.answers;
  place.hidden = !answers?.length;
  place.replaceChildren(...(answers ?? []).map((each) => answerBox(desk, each)));
  place.scrollTop = 0;
}

function answerBox(desk, said) {
  const { item, taxonomy } = desk.data,
    made = node("section", "answer"),
    head = node("div", "head"),
    [sign, verdict] = SAID[said.verdict];
  head.append(
    node("h3", "", said.by),
    node("span", `verdict ${said.verdict}`, `${sign} ${verdict}`),
    Object.assign(
      control("Take this answer", "quiet take", () => takeOver(desk, said)),
      { ariaLabel: `Take the answer of ${said.by}` },
    ),
  );
  made.append(head);
  if (said.labels.length || said.spans.length) made.append(labelsSaid(said, taxonomy));
  if (said.correction !== null && said.correction !== undefined)
    made.append(correctionRead(item.output, said.correction));
  if (said.note) made.append(block(said.note));
  return made;
}

function labelsSaid(said, taxonomy) {
  const line = node("p", "said");
  const chip = (code, text) => {
    const each = word("span", "chip", text);
    each.dataset.tone = labelTone(taxonomy, code);
    return each;
  };
  line.append(
    ...said.labels.map((code) => chip(code, labelName(taxonomy, code))),
    ...said.spans.map((span) => chip(span.label, `${labelName(taxonomy, span.label)}: “${span.text}”`)),
  );
  return line;
}

// Labels, marks and the correction become one's own; the note stays who wrote it. What is sent is still to be decided.
function takeOver(desk, said) {
  const { work, parts } = desk;
  const isReady = desk.data.mode === "work" && !desk.busy && performance.now() >= desk.readyAt;
  if (!isReady || !isTaken(desk, said.verdict)) return;
  if (work.panel) dropPanel(desk);
  Object.assign(work, { labels: new Set(said.labels), marks: [...said.spans], cursor: null, draft: undefined });
  drawChips(desk);
  drawLegend(desk);
  if (desk.sheet) paint(desk);
  refresh(desk);
  if (said.verdict === "correct") openCorrection(desk, said.correction);
  else [...parts.acts.children].find((button) => button.name === said.verdict).focus();
  const how = { approve: "A approves", correct: "Ctrl+Enter sends the correction", reject: "X rejects" }[said.verdict];
  tell(desk, { kind: "info", text: `Taken from ${said.by}. Nothing is decided yet: ${how}.` });
}

// Why an act is not offered, in words; empty where it is.
function refusalOf(data, name) {
  const taken = data.allowed_verdicts;
  if (name === "escalate" && data.mode === "work" && !data.can_escalate) return "Nobody is above this queue.";
  if (!taken || !VERDICTS.includes(name) || taken.includes(name)) return "";
  return `The producer cannot take this. It takes only: ${taken.map((each) => NAMES[each]).join(", ")}.`;
}

function isTaken(desk, name) {
  const refusal = refusalOf(desk.data, name);
  if (refusal) tell(desk, { kind: "error", text: refusal });
  return !refusal;
}
