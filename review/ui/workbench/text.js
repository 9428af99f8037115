// Drawing hostile text: text nodes only, hidden characters as badges, and each leaf's place in code points.

const JOINERS =
  "\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}" +
  "\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}" +
  "\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}\\p{Script=Myanmar}";
const PICTURE = "\\p{Extended_Pictographic}(?:[\\uFE0E\\uFE0F]|\\p{Emoji_Modifier})?";
const NATION = ["eng", "sct", "wls"].map((name) =>
  [...("gb" + name)].map((c) => `\\u{E00${c.charCodeAt(0).toString(16)}}`).join(""),
);
// Where a character that cannot be seen belongs to what can: emoji, flags, keycaps, joined scripts, line ends.
const LEGITIMATE = [
  `${PICTURE}(?:\\u200D${PICTURE})+`,
  "\\p{Extended_Pictographic}[\\uFE0E\\uFE0F]",
  "[0-9#*]\\uFE0F\\u20E3",
  `\\u{1F3F4}(?:${NATION.join("|")})\\u{E007F}`,
  `(?<=[${JOINERS}])[\\u200C\\u200D](?=[${JOINERS}])`,
  "(?<=\\p{Script=Han})[\\uFE00-\\uFE02\\u{E0100}-\\u{E01EF}]",
  "\\r\\n",
  "[\\n\\t\\u0600-\\u0605\\u06DD\\u070F\\u0890\\u0891\\u08E2\\u{110BD}\\u{110CD}]",
].join("|");
const HIDDEN = "[\\p{Default_Ignorable_Code_Point}\\p{Cf}\\p{Cc}\\p{Cs}\\u2028\\u2029\\u2800]";
const SUSPECT = new RegExp(`(?:${LEGITIMATE})|(${HIDDEN})`, "gu");

const SHORT_NAMES = new Map([
  [0x07, "BEL"],
  [0x08, "BS"],
  [0x0b, "VT"],
  [0x0c, "FF"],
  [0x0d, "CR"],
  [0x1b, "ESC"],
  [0x7f, "DEL"],
  [0x85, "NEL"],
  [0xad, "SHY"],
  [0x34f, "CGJ"],
  [0x61c, "ALM"],
  [0x115f, "FILLER"],
  [0x1160, "FILLER"],
  [0x180e, "MVS"],
  [0x200b, "ZWSP"],
  [0x200c, "ZWNJ"],
  [0x200d, "ZWJ"],
  [0x200e, "LRM"],
  [0x200f, "RLM"],
  [0x2028, "LS"],
  [0x2029, "PS"],
  [0x202a, "LRE"],
  [0x202b, "RLE"],
  [0x202c, "PDF"],
  [0x202d, "LRO"],
  [0x202e, "RLO"],
  [0x2060, "WJ"],
  [0x2066, "LRI"],
  [0x2067, "RLI"],
  [0x2068, "FSI"],
  [0x2069, "PDI"],
  [0x2800, "BLANK"],
  [0x3164, "FILLER"],
  [0xfeff, "BOM"],
  [0xffa0, "FILLER"],
]);

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function control(label, className, act, key) {
  const button = node("button", className, label);
  button.type = "button";
  if (key) button.append(" ", node("kbd", "", key));
  button.addEventListener("click", act);
  return button;
}

function isTag(code) {
  return code > 0xe0020 && code < 0xe007f;
}

function hiddenName(code) {
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  if (isTag(code)) return `${hex} TAG ${String.fromCharCode(code - 0xe0000)}`;
  if (code >= 0xfe00 && code <= 0xfe0f) return `${hex} VS${code - 0xfdff}`;
  return SHORT_NAMES.has(code) ? `${hex} ${SHORT_NAMES.get(code)}` : hex;
}

function badgeName(codes) {
  if (codes.length === 1) return hiddenName(codes[0]);
  if (isTag(codes[0]))
    return `${hiddenName(codes[0])}… “${String.fromCharCode(...codes.slice(0, 200).map((c) => c - 0xe0000))}”`;
  return `${hiddenName(codes[0])} ×${codes.length}`;
}

function countPoints(text) {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const low = text.charCodeAt(i) & 0xfc00,
      high = text.charCodeAt(i - 1) & 0xfc00;
    if (low === 0xdc00 && high === 0xd800) count--;
  }
  return count;
}

// A piece is a run of visible text, or neighbouring hidden characters of one sort that share a badge.
function textPieces(text, first = 0) {
  const pieces = [];
  let unit = 0,
    point = first;
  const add = (to, codes) => {
    const slice = text.slice(unit, to),
      size = codes ? codes.length : countPoints(slice);
    pieces.push({ start: point, end: point + size, text: slice, codes });
    unit = to;
    point += size;
  };
  for (const found of text.matchAll(SUSPECT)) {
    if (!found[1]) continue;
    const code = found[1].codePointAt(0),
      last = pieces.at(-1);
    const joins =
      last?.codes && unit === found.index && (last.codes[0] === code || (isTag(last.codes[0]) && isTag(code)));
    if (found.index > unit) add(found.index);
    if (!joins) add(found.index + found[1].length, [code]);
    else {
      last.codes.push(code);
      last.text += found[1];
      last.end = ++point;
      unit += found[1].length;
    }
  }
  if (unit < text.length) add(text.length);
  return pieces;
}

function badge(codes) {
  const made = node("span", "badge", badgeName(codes));
  made.dir = "ltr";
  made.title = codes.length > 1 ? `${codes.length} characters that cannot be seen` : "a character that cannot be seen";
  return made;
}

function hiddenCount(text) {
  let count = 0;
  for (const found of text.matchAll(SUSPECT)) if (found[1]) count++;
  return count;
}

function withoutHidden(text) {
  return text.replace(SUSPECT, (all, hidden) => (hidden ? "" : all));
}

// A short text where no element can go: hidden characters named in brackets.
function plain(text, most = 500) {
  return textPieces(String(text).slice(0, most))
    .map((piece) => (piece.codes ? `[${badgeName(piece.codes)}]` : piece.text))
    .join("");
}

function drawPieces(parent, text) {
  for (const piece of textPieces(text)) parent.append(piece.codes ? badge(piece.codes) : piece.text);
}

// A name, a label or a code: isolated from its surroundings' direction.
function word(tag, className, text) {
  const made = node(tag, className);
  made.dir = "auto";
  drawPieces(made, String(text).slice(0, 500));
  return made;
}
