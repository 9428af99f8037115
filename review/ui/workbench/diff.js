// The difference of two texts by words (Myers), drawn as insertions and deletions with their sign.

const MOST_EDITS = 1200; // past this many changed words the changed middle is shown as one replacement
const CONTEXT = 14; // unchanged words kept on each side of a change

function diffWords(text) {
  return text.match(/\s+|[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu) ?? [];
}

// Runs of {op: "same" | "del" | "ins", words}.
function difference(before, after) {
  const a = diffWords(before),
    b = diffWords(after);
  let head = 0,
    tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const runs = [];
  add(runs, "same", a.slice(0, head));
  for (const [op, words] of middleRuns(a.slice(head, a.length - tail), b.slice(head, b.length - tail)))
    add(runs, op, words);
  add(runs, "same", a.slice(a.length - tail));
  return joinedRuns(runs);
}

function add(runs, op, words) {
  if (!words.length) return;
  if (runs.at(-1)?.op !== op) runs.push({ op, words: [] });
  extend(runs.at(-1).words, words);
}

function extend(list, more) {
  for (const each of more) list.push(each);
}

function middleRuns(a, b) {
  const trail = a.length && b.length ? editTrail(a, b) : null;
  return trail
    ? walkBack(a, b, trail)
    : [
        ["del", a],
        ["ins", b],
      ];
}

// Each round keeps only the diagonals it could reach, so memory is the square of the edits, not of the text.
function editTrail(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS),
    trail = [];
  const reach = new Int32Array(2 * most + 3),
    middle = most + 1;
  for (let edits = 0; edits <= most; edits++) {
    trail.push(reach.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reach[middle + k - 1] < reach[middle + k + 1]);
      let x = down ? reach[middle + k + 1] : reach[middle + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return trail;
    }
  }
  return null;
}

function walkBack(a, b, trail) {
  const steps = [];
  let x = a.length,
    y = b.length;
  for (let edits = trail.length - 1; edits >= 0; edits--) {
    const reach = (k) => trail[edits][k + edits + 1],
      k = x - y;
    const down = k === -edits || (k !== edits && reach(k - 1) < reach(k + 1));
    const fromX = edits ? (down ? reach(k + 1) : reach(k - 1)) : 0,
      fromY = edits ? fromX - (down ? k + 1 : k - 1) : 0;
    while (x > fromX && y > fromY) {
      steps.push(["same", [a[--x]]]);
      y--;
    }
    if (edits) steps.push(down ? ["ins", [b[--y]]] : ["del", [a[--x]]]);
  }
  return steps.reverse();
}

// White space alone between two changes belongs to the change: it reads as one replacement.
function joinedRuns(runs) {
  const joined = [];
  let gone = [],
    come = [];
  const flush = () => {
    const shared = gone.length && come.length && gone.at(-1) === come.at(-1) ? [gone.pop(), come.pop()].slice(1) : [];
    add(joined, "del", gone);
    add(joined, "ins", come);
    add(joined, "same", shared);
    gone = [];
    come = [];
  };
  runs.forEach((run, index) => {
    const bridge = run.op === "same" && run.words.every((each) => !each.trim()) && index && index < runs.length - 1;
    if (run.op === "del" || bridge) extend(gone, run.words);
    if (run.op === "ins" || bridge) extend(come, run.words);
    if (run.op === "same" && !bridge) {
      flush();
      add(joined, "same", run.words);
    }
  });
  flush();
  return joined;
}

function drawDifference(before, after) {
  const made = node("div", "text difference"),
    runs = difference(before, after);
  made.dir = "auto";
  runs.forEach((run, index) => {
    if (run.op !== "same") made.append(changed(run.op, run.words.join("")));
    else drawSame(made, run.words, index === 0, index === runs.length - 1);
  });
  return made;
}

function changed(op, text) {
  const made = node(op);
  if (text.length > PAGE) made.append(sheetOf(text));
  else drawPieces(made, text);
  return made;
}

function sheetOf(text) {
  const box = block(text);
  box.className = "inline";
  return box;
}

function drawSame(parent, words, isFirst, isLast) {
  const head = isFirst ? 0 : CONTEXT * 2,
    tail = isLast ? 0 : CONTEXT * 2;
  if (words.length <= head + tail + 20) return drawPieces(parent, words.join(""));
  if (head) drawPieces(parent, words.slice(0, head).join(""));
  const count = words.slice(head, words.length - tail).filter((each) => /[\p{L}\p{N}]/u.test(each)).length;
  parent.append(
    node("span", "unchanged", ` … ${count.toLocaleString("en")} ${count === 1 ? "word" : "words"} unchanged … `),
  );
  if (tail) drawPieces(parent, words.slice(-tail).join(""));
}
