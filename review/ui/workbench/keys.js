// Keys: one listener on the page, off while anything is typed, and never twice for one press.

const KEY_HELP = [
  ["A", "approve"],
  ["E", "correct: edit in place"],
  ["X", "reject"],
  ["U", "hand up, with a reason"],
  ["S", "skip"],
  ["W", "later: put it off"],
  ["G", "give back"],
  ["Q", "ask the producer"],
  ["O", "comments"],
  ["Z", "undo, while it is offered"],
  ["1–8", "label the marked words, or the whole output"],
  ["M", "mark by keyboard: ← → move, Shift extends, Esc ends"],
  ["Del", "remove the mark that has the focus"],
  ["J  K", "next, previous source"],
  ["N", "write a note (Esc leaves it)"],
  ["Ctrl+Enter", "send a correction or hand up"],
  ["Esc", "cancel"],
  ["T", "take the next task, when the desk is empty"],
  ["?", "this list"],
];

const COMMANDS = {
  a: (desk) => decide(desk, "approve"),
  x: (desk) => decide(desk, "reject"),
  e: (desk) => openCorrection(desk),
  u: (desk) => openHandUp(desk),
  s: (desk) => leave(desk, "skip"),
  w: (desk) => openLater(desk),
  q: (desk) => openQuestion(desk),
  o: (desk) => openComments(desk),
  g: (desk) => leave(desk, "give_back"),
  z: (desk) => undo(desk),
  n: (desk) => desk.data.mode === "work" && desk.parts.note.focus(),
  j: (desk) => desk.data.mode === "work" && stepSource(desk, 1),
  k: (desk) => desk.data.mode === "work" && stepSource(desk, -1),
  m: (desk) => desk.data.mode === "work" && toggleCursor(desk),
  t: (desk) => desk.data.mode === "empty" && send(desk, "claim"),
  "?": (desk) => openHelp(desk),
};

function isTyping(event) {
  return event
    .composedPath()
    .some(
      (each) =>
        each instanceof Element &&
        (each.matches("input, textarea, select, [role=textbox], [role=combobox], [role=searchbox]") ||
          each.isContentEditable),
    );
}

function isCovered(desk) {
  return desk.parts.help.open || document.querySelector("[role=dialog], dialog[open]") !== null;
}

// The key by its letter, or by its place on keyboards that write another script.
function keyName(event) {
  const key = event.key.toLowerCase();
  if (key === "?" || /^[a-z1-8]$/.test(key)) return key;
  const placed = /^(?:Key([A-Z])|Digit([1-8]))$/.exec(event.code);
  return !placed || (/^[\x21-\x7e]$/.test(key) && placed[1]) ? "" : (placed[1] ?? placed[2]).toLowerCase();
}

function onKey(desk, event) {
  if (!desk.parts.desk.isConnected) return detach(desk);
  if (desk.data.mode === "read" || event.defaultPrevented || event.isComposing || isTyping(event) || isCovered(desk))
    return undefined;
  if (desk.work.cursor && moveMark(desk, event)) return event.preventDefault();
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return undefined;
  const name = keyName(event);
  if (!name) return undefined;
  if (/^[1-8]$/.test(name) && desk.data.mode === "work") applyLabel(desk, Number(name) - 1);
  else if (COMMANDS[name]) COMMANDS[name](desk);
  else return undefined;
  return event.preventDefault();
}

function moveMark(desk, event) {
  if (event.key === "Escape") toggleCursor(desk);
  else if (moveCursor(desk.work.cursor, desk.sheet, event)) showCursor(desk);
  else return false;
  return true;
}

function openHelp(desk) {
  const { help } = desk.parts,
    list = node("dl"),
    title = node("h3", "", "Keys");
  title.id = "help-name";
  for (const [key, meaning] of KEY_HELP) {
    const term = node("dt");
    term.append(...key.split("  ").flatMap((each) => [node("kbd", "", each), " "]));
    list.append(term, node("dd", "", meaning));
  }
  help.replaceChildren(
    title,
    list,
    control("Close", "", () => help.close(), "Esc"),
  );
  help.onkeydown = (event) => {
    if (event.key === "?") {
      help.close();
      event.preventDefault();
      event.stopPropagation();
    }
  };
  help.showModal();
}
