// Marks: exact words of the output under a label, made with the mouse or with a word cursor from the keyboard.

const TONES = 8;

function selectedRange(root, made) {
  const selection = document.getSelection();
  if (!selection || !made) return null;
  const live = root.getSelection?.() ?? selection;
  const range = selection.getComposedRanges
    ? selection.getComposedRanges({ shadowRoots: [root] })[0]
    : live.rangeCount && live.getRangeAt(0);
  if (!range || (range.startContainer === range.endContainer && range.startOffset === range.endOffset)) return null;
  if (![range.startContainer, range.endContainer].every((each) => each.getRootNode() === root)) return null;
  if (![range.startContainer, range.endContainer].some((each) => made.box.contains(each))) return null;
  return {
    start: pointAt(made, range.startContainer, range.startOffset),
    end: pointAt(made, range.endContainer, range.endOffset),
  };
}

function isSpace(text) {
  return /^\s$/u.test(text) && text !== "\ufeff";
}

// The range without white space at its ends, with its exact text; null where nothing is left.
function trimmed(text, range) {
  let from = unitAfter(text, 0, range.start),
    to = unitAfter(text, from, range.end - range.start),
    { start, end } = range;
  for (; from < to && isSpace(text[from]); from++) start++;
  for (; to > from && isSpace(text[to - 1]); to--) end--;
  return from < to ? { start, end, text: text.slice(from, to) } : null;
}

// Adds the mark, or takes it away where the same one is there already.
function toggleMark(marks, range, label) {
  const same = (mark) => mark.start === range.start && mark.end === range.end && mark.label === label;
  if (marks.some(same)) return marks.filter((mark) => !same(mark));
  return [...marks, { start: range.start, end: range.end, label, text: range.text }].sort(
    (a, b) => a.start - b.start || a.end - b.end,
  );
}

function labelName(taxonomy, code) {
  return taxonomy.find((entry) => entry.code === code)?.name ?? code;
}

function labelTone(taxonomy, code) {
  const place = taxonomy.findIndex((entry) => entry.code === code);
  return String((place < 0 ? TONES - 1 : place) % TONES);
}

function markLayers(marks, taxonomy, onRemove) {
  return marks.map((mark, index) => {
    const name = labelName(taxonomy, mark.label),
      tone = labelTone(taxonomy, mark.label);
    return {
      ...mark,
      kind: "mark",
      tone,
      index,
      tag: () => markTag(mark, index, name, tone, onRemove && (() => onRemove(mark))),
    };
  });
}

function markTag(mark, index, name, tone, onRemove) {
  const tag = word(onRemove ? "button" : "span", "tag", name);
  tag.dataset.tone = tone;
  tag.dataset.mark = index;
  if (!onRemove) return tag;
  tag.type = "button";
  tag.title = "Remove this mark";
  tag.setAttribute("aria-label", `${plain(name)} on “${plain(mark.text, 80)}”. Remove this mark`);
  tag.append(node("span", "cross", "×"));
  tag.addEventListener("click", onRemove);
  tag.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace") onRemove();
  });
  return tag;
}

function flagLayers(flags) {
  return flags
    .filter((flag) => flag.span)
    .map((flag) => ({
      start: flag.span[0],
      end: flag.span[1],
      kind: "flag",
      title: `Flag ${plain(flag.code)}${flag.detail ? `: ${plain(flag.detail)}` : ""}`,
      tag: () => word("span", "tag flagged", `⚑ ${flag.code}`),
    }));
}

function helpLayers(ranges) {
  return ranges.map(([start, end]) => ({ start, end, kind: "help", title: "Not found in the evidence" }));
}

// The words of what is shown, as code points: each word and each sign is one step of the cursor.
function wordsOf(made) {
  const words = [];
  let point = 0;
  for (const part of new Intl.Segmenter(undefined, { granularity: "word" }).segment(made.text.slice(0, made.unit))) {
    const size = countPoints(part.segment);
    if (part.segment.trim()) words.push({ start: point, end: point + size, text: part.segment });
    point += size;
  }
  return words;
}

function wordCursor(made, first = 0) {
  const words = wordsOf(made),
    at = Math.max(
      0,
      words.findIndex((each) => each.end > first),
    );
  return words.length ? { words, at, anchor: at } : null;
}

function cursorRange(cursor) {
  const [low, high] = [Math.min(cursor.at, cursor.anchor), Math.max(cursor.at, cursor.anchor)];
  return { start: cursor.words[low].start, end: cursor.words[high].end };
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

// Moves the cursor by an arrow key and tells whether the key was one of its own; left and right are as seen.
function moveCursor(cursor, made, event) {
  const forward = RIGHT_TO_LEFT.test(cursor.words[cursor.at].text) ? "ArrowLeft" : "ArrowRight";
  const steps = {
    Home: () => 0,
    End: () => cursor.words.length - 1,
    ArrowUp: () => lineStep(cursor, made, -1),
    ArrowDown: () => lineStep(cursor, made, 1),
    ArrowLeft: () => cursor.at + (forward === "ArrowLeft" ? 1 : -1),
    ArrowRight: () => cursor.at + (forward === "ArrowRight" ? 1 : -1),
  };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return false;
  cursor.at = Math.min(cursor.words.length - 1, Math.max(0, step()));
  if (!event.shiftKey) cursor.anchor = cursor.at;
  return true;
}

// The word one line up or down that is nearest to the cursor's place.
function lineStep(cursor, made, direction) {
  const box = (index) => rangeOf(made, cursor.words[index].start, cursor.words[index].end).getBoundingClientRect();
  const here = box(cursor.at),
    middle = (rect) => rect.left + rect.width / 2;
  let best = cursor.at,
    line = null,
    nearest = Infinity;
  for (let index = cursor.at + direction; index >= 0 && index < cursor.words.length; index += direction) {
    const rect = box(index);
    if (Math.abs(rect.top - here.top) < here.height / 2) continue;
    line ??= rect.top;
    if (Math.abs(rect.top - line) > here.height / 2) break;
    const distance = Math.abs(middle(rect) - middle(here));
    if (distance < nearest) [best, nearest] = [index, distance];
  }
  return best;
}
