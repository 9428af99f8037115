// What is done with a task besides deciding it: put it off, ask its producer, write to colleagues.

const TIMES = [
  ["quarter", "15 minutes"],
  ["hour", "1 hour"],
  ["tomorrow", "tomorrow, 9:00"],
];

function openLater(desk) {
  if (!isOpen(desk)) return;
  const list = node("div", "choices row");
  const rows = TIMES.map(([value, text]) => choiceRow(text, "", value));
  rows[0].radio.checked = true;
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-label", "Put off until");
  list.append(...rows.map((each) => each.row));
  const hint = "Nobody is offered it until then. When it is due stays as it is.";
  const editor = {
    node: asideBox("Put it off for", list, hint),
    focus: () => rows[0].radio.focus(),
    value: () => ({ until: rows.find((each) => each.radio.checked).value }),
  };
  openPanel(desk, "snooze", editor, "Put off", () => send(desk, "snooze", editor.value()));
}

function openQuestion(desk) {
  if (!isOpen(desk)) return;
  const editor = writing("Ask the producer", "What do you need to know to decide this?");
  const hint = "It goes to the system that sent this. Nobody decides it until the answer is here, or it is due soon.";
  editor.node = asideBox("Ask the producer", editor.area, hint);
  openPanel(desk, "ask", editor, "Ask", () => sendText(desk, "ask", "Write the question."));
}

function openComments(desk) {
  if (!isOpen(desk)) return;
  const editor = writing("Comment", "Write to colleagues; @username tells somebody"),
    list = node("div", "thread");
  list.tabIndex = 0;
  list.setAttribute("role", "region");
  list.setAttribute("aria-label", "Comments");
  editor.node = node("div", "asides");
  editor.node.append(list, editor.area);
  editor.renew = () => {
    list.replaceChildren(...commentLines(desk));
    list.scrollTop = list.scrollHeight;
  };
  openPanel(desk, "comments", editor, "Send comment", () => sendText(desk, "comment", "Write something first."));
  editor.renew();
}

// A comment that was sent is in the thread now, and the field is free for another.
function renewComments(desk) {
  const { panel } = desk.work;
  desk.asked = "";
  if (panel?.kind !== "comments") return;
  panel.editor.area.value = "";
  panel.editor.renew();
  panel.editor.focus();
}

function writing(name, hint) {
  const area = node("textarea");
  area.rows = 2;
  area.dir = "auto";
  area.maxLength = 4000;
  area.placeholder = hint;
  area.setAttribute("aria-label", name);
  return { area, focus: () => area.focus(), value: () => ({ text: area.value.trim() }) };
}

function asideBox(title, input, hint) {
  const made = node("div", "asides");
  made.append(node("p", "key", title), input, node("p", "muted", hint));
  return made;
}

function sendText(desk, action, missing) {
  const { editor, trouble } = desk.work.panel,
    said = editor.value();
  trouble.textContent = said.text ? "" : missing;
  if (said.text) send(desk, action, said);
  else editor.focus();
}

function commentLines(desk) {
  const { comments, comments_hidden: hidden } = desk.data;
  const lines = (comments ?? []).map((each) => saidLine(desk, each.by, each.at, each.text));
  const why = "Until this is settled you see only your own comments: others' could tell what they answered.";
  if (hidden) lines.unshift(node("p", "muted", why));
  return lines.length ? lines : [node("p", "muted", "Nobody has written anything yet.")];
}

function saidLine(desk, by, at, text) {
  const made = node("div", "comment"),
    head = node("p");
  head.append(word("strong", "", by), ", ", timed("muted", `${span(Date.now() + desk.skew - Date.parse(at))} ago`, at));
  made.append(head, block(text));
  return made;
}

// What the producer was asked, and its answer, above what the system was asked.
function questionLines(desk) {
  return (desk.data.questions ?? []).flatMap((each) => {
    const asked = toldLine(`${each.by} asked:`, each.text, each.asked_at);
    if (each.answer === null) return [asked, node("p", "muted", "No answer yet.")];
    return [asked, toldLine("Its producer answered:", each.answer, each.answered_at)];
  });
}

function toldLine(who, text, at) {
  const made = node("p"),
    said = node("span", "said");
  said.dir = "auto";
  drawPieces(said, text);
  made.append(word("strong", "", who), " ", said);
  made.title = exactTime(at);
  return made;
}

function drawAsides(desk) {
  const { parts, data } = desk,
    n = data.comments?.length ?? 0;
  if (data.mode !== "work") return parts.asides.replaceChildren();
  const help = Object.assign(control("Keys", "quiet apart", () => openHelp(desk), "?"), { name: "help" });
  return parts.asides.replaceChildren(
    control("Ask the producer", "quiet", () => openQuestion(desk), "Q"),
    control(n ? `Comments ${n}` : "Comments", "quiet", () => openComments(desk), "O"),
    help,
  );
}
