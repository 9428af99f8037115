// A sheet: one long text drawn a page at a time, with layers (marks, flags, helps) over exact code points.

const PAGE = 20000; // characters drawn at a time
const PAGE_PIECES = 1500; // or runs and badges, so that a text of badges stays quick

function sheet(text, onMore = () => drawSheet(made, [])) {
  const made = { box: node("div", "text"), text, unit: 0, end: 0, pieces: [], leaves: [], more: null };
  made.box.dir = "auto";
  made.more = control("", "more", () => {
    nextPage(made);
    onMore();
  });
  nextPage(made);
  return made;
}

function nextPage(made) {
  const pieces = textPieces(made.text.slice(made.unit, pageEnd(made.text, made.unit)), made.end).slice(0, PAGE_PIECES);
  made.pieces.push(...pieces);
  made.unit += pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  made.end = pieces.at(-1)?.end ?? made.end;
}

function pageEnd(text, from) {
  const end = Math.min(text.length, from + PAGE);
  const splits = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return splits ? end + 1 : end;
}

// A layer is {start, end, kind, tone?, title?, tag?}; tag makes the small label that follows its last word.
function drawSheet(made, layers) {
  const cuts = cutsOf(layers, made.end),
    active = new Set(),
    drawn = document.createDocumentFragment();
  let parent = drawn,
    next = 0;
  made.leaves = [];
  const leaf = (child, start, end) => {
    parent.append(child);
    made.leaves.push({ node: child, start, end });
  };
  const pass = (point) => {
    const before = next;
    for (; next < cuts.length && cuts[next].point <= point; next++) {
      for (const layer of cuts[next].closing) if (active.delete(layer) && layer.tag) drawn.append(layer.tag());
      for (const layer of cuts[next].opening) active.add(layer);
    }
    if (next > before) parent = active.size ? drawn.appendChild(segment([...active])) : drawn;
  };
  for (const piece of made.pieces) {
    let unit = 0,
      point = piece.start;
    while (point < piece.end) {
      pass(point);
      const stop = piece.codes ? piece.end : Math.min(piece.end, cuts[next]?.point ?? Infinity);
      const to = stop === piece.end ? piece.text.length : unitAfter(piece.text, unit, stop - point);
      leaf(piece.codes ? badge(piece.codes) : document.createTextNode(piece.text.slice(unit, to)), point, stop);
      unit = to;
      point = stop;
    }
  }
  pass(made.end);
  const left = made.text.length - made.unit;
  if (left) made.more.textContent = `Show the next of ${left.toLocaleString("en")} more characters`;
  made.box.replaceChildren(drawn, ...(left ? [made.more] : []));
}

function cutsOf(layers, end) {
  const cuts = new Map();
  const at = (point) => cuts.get(point) ?? cuts.set(point, { point, opening: [], closing: [] }).get(point);
  for (const layer of layers) {
    if (layer.start >= end || layer.start >= layer.end) continue;
    at(layer.start).opening.push(layer);
    at(Math.min(layer.end, end)).closing.push(layer);
  }
  return [...cuts.values()].sort((a, b) => a.point - b.point);
}

function segment(layers) {
  const marked = layers.filter((layer) => layer.kind === "mark").at(-1);
  const made = node(marked ? "mark" : "span", [...new Set(layers.map((layer) => layer.kind))].join(" "));
  const titles = layers.map((layer) => layer.title).filter(Boolean);
  if (marked) made.dataset.tone = marked.tone;
  if (marked?.index !== undefined) made.dataset.mark = marked.index;
  if (titles.length) made.title = titles.join("; ");
  return made;
}

function unitAfter(text, unit, points) {
  for (; points > 0; points--) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  return unit;
}

// Where a boundary of the page's selection lies in the text, in code points.
function pointAt(made, container, offset) {
  const leaf = made.leaves.find((each) => each.node === container);
  if (leaf && container.nodeType === Node.TEXT_NODE) return leaf.start + countPoints(container.data.slice(0, offset));
  const boundary = document.createRange();
  boundary.setStart(container, offset);
  return made.leaves.find((each) => boundary.comparePoint(each.node, 0) >= 0)?.start ?? made.end;
}

function rangeOf(made, start, end) {
  const range = document.createRange();
  const place = (point, isEnd) => {
    const leaf = made.leaves.find((each) => (isEnd ? point <= each.end : point < each.end));
    if (leaf.node.nodeType !== Node.TEXT_NODE)
      return isEnd ? range.setEndAfter(leaf.node) : range.setStartBefore(leaf.node);
    const unit = unitAfter(leaf.node.data, 0, point - leaf.start);
    return isEnd ? range.setEnd(leaf.node, unit) : range.setStart(leaf.node, unit);
  };
  place(start, false);
  place(end, true);
  return range;
}

// A block of text that is only read.
function block(text) {
  const made = sheet(text);
  drawSheet(made, []);
  return made.box;
}
