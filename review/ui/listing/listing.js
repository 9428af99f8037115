// A table of plain texts: every cell is a text node, a row with an id can be opened by mouse or keyboard.

function drawCell(cell, row, data, open) {
  const box = node("td", cell.tone ? `tone ${cell.tone}` : "");
  const text = word(open ? "button" : "span", "cell", cell.text);
  if (open) {
    text.type = "button";
    if (data.buttonAt) text.setAttribute("aria-label", `${plain(row.cells[0].text)}: ${plain(cell.text)}`);
  }
  if (cell.title) text.title = plain(cell.title, 2000);
  box.append(text);
  return box;
}

function drawRow(row, data, act) {
  const line = node("tr", row.opens ? "opens" : "");
  row.cells.forEach((cell, place) => line.append(drawCell(cell, row, data, row.opens && place === data.buttonAt)));
  if (row.opens) line.addEventListener("click", () => act(row.id));
  return line;
}

function drawHead(data) {
  const line = node("tr", "");
  for (const column of data.columns) {
    const head = node("th", "", column.name);
    head.scope = "col";
    if (column.width) head.style.width = column.width;
    line.append(head);
  }
  const head = node("thead", "");
  head.append(line);
  return head;
}

export default function listing({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".listing"),
    table = node("table", ""),
    body = node("tbody", "");
  const act = (id) => setTriggerValue("open", id);
  table.setAttribute("aria-label", data.label);
  for (const row of data.rows) body.append(drawRow(row, data, act));
  table.append(drawHead(data), body);
  const focused = box.contains(parentElement.activeElement ?? null);
  box.replaceChildren(table);
  if (focused) box.querySelector("button")?.focus();
}
