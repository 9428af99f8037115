// The desk: one item at a time; it sends one act and then waits for the answer before it takes another.

const SETTLE = 250; // milliseconds in which a new item takes no decision: the second half of a double press
const SLOW = 10000;
const DONE = {
  approve: "Approved",
  correct: "Corrected",
  reject: "Rejected",
  escalate: "Handed up",
  skip: "Skipped",
  give_back: "Given back",
  snooze: "Put off",
  ask: "Asked",
  comment: "Sent",
  undo: "Undone",
  claim: "Taken",
};
const BUTTONS = [
  ["approve", "Approve", "A", "primary"],
  ["correct", "Correct", "E", ""],
  ["reject", "Reject", "X", ""],
  ["escalate", "Hand up", "U", ""],
  ["skip", "Skip", "S", "quiet apart"],
  ["later", "Later", "W", "quiet"],
  ["give_back", "Give back", "G", "quiet"],
];
const VERDICTS = ["approve", "correct", "reject"];
const NAMES = Object.fromEntries(BUTTONS.map(([name, label]) => [name, label.toLowerCase()]));
const PARTS = [
  drawAsked, drawEvidence, drawHandedUp, drawAnswers, drawOutput, drawChips, drawAsides, drawDecided,
];
const DESKS = new WeakMap();

function makeDesk(root, box) {
  const parts = Object.fromEntries(
    [...box.parentNode.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
  );
  const desk = {
    root,
    parts,
    data: null,
    work: newWork(),
    calls: 0,
    skew: 0,
    busy: false,
    readyAt: 0,
    source: 0,
    sheet: null,
    stash: null,
    asked: "",
  };
  const acts = {
    approve: () => decide(desk, "approve"),
    reject: () => decide(desk, "reject"),
    correct: () => openCorrection(desk),
    escalate: () => openHandUp(desk),
    later: () => openLater(desk),
    skip: () => leave(desk, "skip"),
    give_back: () => leave(desk, "give_back"),
  };
  parts.acts.append(
    ...BUTTONS.map(([name, label, key, look]) => Object.assign(control(label, look, acts[name], key), { name })),
  );
  parts.walk.append(
    control("Next", "quiet", () => stepSource(desk, 1), "J"),
    control("Previous", "quiet", () => stepSource(desk, -1), "K"),
  );
  parts.note.addEventListener("keydown", (event) => noteKey(desk, event));
  parts.output.addEventListener("click", (event) => focusTag(desk, event));
  desk.onKey = (event) => onKey(desk, event);
  return desk;
}

function newWork() {
  return { labels: new Set(), marks: [], cursor: null, panel: null, draft: undefined };
}

// Escape leaves the note; with a correction open beside it, Ctrl+Enter sends both.
function noteKey(desk, event) {
  if (event.key === "Escape") (desk.work.panel?.editor ?? desk.parts.output).focus({ preventScroll: true });
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat && desk.work.panel)
    sendCorrection(desk);
}

// A click on marked words puts the focus on their label, where Delete removes the mark.
function focusTag(desk, event) {
  const marked = event.target.closest("mark");
  if (!marked || document.getSelection()?.isCollapsed === false) return;
  desk.parts.output.querySelector(`button.tag[data-mark="${marked.dataset.mark}"]`)?.focus();
}

function attach(desk) {
  if (desk.timer) return;
  document.addEventListener("keydown", desk.onKey);
  desk.timer = setInterval(() => tick(desk), 1000);
}

function detach(desk) {
  document.removeEventListener("keydown", desk.onKey);
  clearInterval(desk.timer);
  desk.timer = 0;
}

function tick(desk) {
  if (!desk.parts.desk.isConnected) return detach(desk);
  drawUndo(desk);
  if (desk.data.item && Math.floor(Date.now() / 1000) % 10 === 0) drawStanding(desk);
  drawTally(desk);
  if (desk.busy && performance.now() - desk.sentAt > SLOW)
    tell(desk, { kind: "info", text: "No answer yet. If this stays, reload the page: what was saved is safe." });
  return undefined;
}

function isOpen(desk) {
  return desk.data.mode === "work" && !desk.busy && !desk.work.panel && performance.now() >= desk.readyAt;
}

function judgement(desk) {
  return { labels: [...desk.work.labels], spans: desk.work.marks, note: desk.parts.note.value.trim() };
}

function decide(desk, verdict) {
  if (isOpen(desk) && isTaken(desk, verdict)) send(desk, verdict, judgement(desk));
}

function leave(desk, action) {
  if (isOpen(desk)) send(desk, action);
}

function undo(desk) {
  if (undoLeft(desk) > 0) send(desk, "undo", { decision_id: desk.data.undo.decision_id });
}

function send(desk, action, more = {}) {
  if (desk.busy) return;
  const { task, item } = desk.data,
    isOfTask = task && action !== "undo" && action !== "claim";
  const hold = isOfTask ? { lease: task.lease, item_version: task.item_version } : {};
  const { labels, marks, draft } = desk.work;
  if (isOfTask) desk.stash = { item: item.id, labels, marks, draft, note: desk.parts.note.value };
  Object.assign(desk, { busy: true, asked: action, sentAt: performance.now() });
  refresh(desk);
  desk.setTriggerValue("act", { action, ...hold, ...more });
}

function undoLeft(desk) {
  return desk.data.undo ? Date.parse(desk.data.undo.until) - (Date.now() + desk.skew) : 0;
}

function drawUndo(desk) {
  const left = desk.busy ? 0 : undoLeft(desk),
    place = desk.parts.undo,
    seconds = String(Math.ceil(left / 1000));
  if (left <= 0) return place.replaceChildren();
  if (place.dataset.id !== desk.data.undo.decision_id || !place.firstChild) {
    place.dataset.id = desk.data.undo.decision_id;
    const done = node("span", "", DONE[desk.data.undo.verdict] ?? "Decided"),
      which = word("span", "muted", desk.data.undo.external_id);
    place.replaceChildren(
      done,
      " ",
      which,
      control("Undo", "quiet", () => undo(desk), "Z"),
      node("span", "muted seconds"),
    );
  }
  place.querySelector(".seconds").textContent = `${seconds} s`;
  return undefined;
}

function tell(desk, message) {
  const place = desk.parts.message;
  place.className = `message ${message?.kind ?? ""}`;
  place.setAttribute("role", message?.kind === "error" ? "alert" : "status");
  place.textContent = message ? `${{ error: "⚠ ", success: "✓ " }[message.kind] ?? ""}${plain(message.text)}` : "";
}

function say(desk, text) {
  desk.parts.live.textContent = text;
}

// What can be pressed now; the places never change.
function refresh(desk) {
  const { parts, work, busy, data } = desk,
    closed = busy || Boolean(work.panel);
  for (const button of parts.acts.children) {
    const refusal = refusalOf(data, button.name);
    button.disabled = closed || Boolean(refusal);
    button.title = refusal;
  }
  for (const button of parts.asides.children) button.disabled = closed && button.name !== "help";
  for (const button of parts.answers.querySelectorAll("button.take")) button.disabled = busy;
  for (const chip of parts.chips.children) chip.disabled = busy || isAside(work.panel);
  for (const row of parts.output.querySelectorAll("button")) row.disabled = busy;
  parts.note.disabled = busy || isAside(work.panel);
  if (work.panel) work.panel.form.disabled = busy;
  for (const button of parts.empty.querySelectorAll("button")) button.disabled = busy;
  parts.desk.dataset.state = busy ? "busy" : performance.now() < desk.readyAt ? "settling" : "ready";
  parts.desk.setAttribute("aria-busy", String(busy));
  drawUndo(desk);
}

function isSameWork(before, data) {
  return (
    before !== null &&
    data.mode === "work" &&
    before.mode === "work" &&
    before.task?.lease === data.task?.lease &&
    before.item.id === data.item.id &&
    sameValue(before.item.output, data.item.output)
  );
}

function update(desk, data) {
  const before = desk.data,
    isNew = !isSameWork(before, data),
    isAnswer = before !== null && before.turn !== data.turn;
  if (before === data) return;
  Object.assign(desk, { data, skew: Date.parse(data.now) - Date.now() });
  if (isAnswer) desk.busy = false;
  if (isNew) takeUp(desk);
  if (data.item) drawStanding(desk);
  else for (const part of [desk.parts.standing, desk.parts.facts]) part.replaceChildren();
  drawTally(desk);
  desk.parts.why.replaceChildren();
  drawPieces(desk.parts.why, data.item ? (data.why ?? "") : "");
  desk.parts.why.title = data.item ? plain(data.why ?? "") : "";
  tell(desk, data.mode === "empty" ? null : data.message);
  if (!isNew && data.item) drawAsides(desk);
  refresh(desk);
  if (isAnswer) afterAnswer(desk, isNew);
}

function takeUp(desk) {
  const { data, parts } = desk,
    isBack = desk.asked === "undo" && desk.stash && desk.stash.item === data.item?.id;
  desk.work = Object.assign(
    newWork(),
    isBack ? { labels: desk.stash.labels, marks: desk.stash.marks, draft: desk.stash.draft } : {},
  );
  parts.note.value = isBack ? desk.stash.note : "";
  parts.desk.dataset.mode = data.mode;
  parts.columns.hidden = !data.item;
  parts.empty.hidden = Boolean(data.item);
  dropPanel(desk);
  parts.answers.hidden = !data.answers?.length;
  if (!data.item) return drawEmpty(desk);
  for (const part of PARTS) part(desk);
  if (data.mode === "work") settle(desk);
  return undefined;
}

function settle(desk) {
  desk.readyAt = performance.now() + SETTLE;
  setTimeout(() => refresh(desk), SETTLE + 5);
}

function drawEmpty(desk) {
  const { message } = desk.data;
  desk.sheet = null;
  desk.parts.empty.replaceChildren(
    node("p", "", message ? plain(message.text) : "Nothing waits for you"),
    ...(desk.data.notes ?? []).map((text) => node("p", "aside", plain(text))),
    control("Take the next task", "primary", () => send(desk, "claim"), "T"),
  );
}

function afterAnswer(desk, isNew) {
  const { data, parts } = desk;
  const next = data.item ? `Next: ${plain(data.item.external_id)}` : data.waiting ? `${data.waiting} waiting` : "Nothing waits";
  if (isNew && data.message?.kind !== "error") say(desk, `${DONE[desk.asked] ?? "Changed"}. ${next}`);
  if (isNew && (document.activeElement === document.body || desk.root.activeElement))
    parts.desk.focus({ preventScroll: true });
  else if (!isNew && desk.work.panel) showRefusal(desk);
  if (isNew) desk.asked = "";
  else if (desk.asked === "comment" && data.message?.kind !== "error") renewComments(desk);
}

export default function workbench(component) {
  const root = component.parentElement,
    box = root.querySelector(".desk");
  if (!DESKS.has(box)) DESKS.set(box, makeDesk(root, box));
  const desk = DESKS.get(box),
    call = ++desk.calls;
  desk.setTriggerValue = component.setTriggerValue;
  update(desk, component.data);
  attach(desk);
  return () => {
    if (desk.calls === call) detach(desk);
  };
}
