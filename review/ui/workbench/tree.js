// Values that are no text. They travel as {o: [[key, value], …]} for objects and {n: "35.0"} for numbers, so that
// the order of keys and the exact digits survive; texts, lists, true, false and null are themselves.

const MOST_LEAVES = 400;

function isObject(value) {
  return value !== null && typeof value === "object" && "o" in value;
}

function isNumber(value) {
  return value !== null && typeof value === "object" && "n" in value;
}

function sameValue(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function kindOf(value) {
  if (typeof value === "string") return "text";
  if (value === null) return "no value";
  if (typeof value === "boolean") return "yes or no";
  if (Array.isArray(value)) return "list";
  return isNumber(value) ? "number" : "object";
}

function leafCount(value) {
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + leafCount(each), 1);
  return isObject(value) ? value.o.reduce((sum, [, each]) => sum + leafCount(each), 1) : 1;
}

function leafText(value) {
  if (typeof value === "string") return value;
  return isNumber(value) ? value.n : String(value);
}

// The entries of an object as they are read: single values first, then what has parts of its own.
function readingOrder(entries) {
  const hasParts = ([, value]) => Array.isArray(value) || isObject(value);
  return [...entries.filter((each) => !hasParts(each)), ...entries.filter(hasParts)];
}

// One line of JSON for a value among others.
function inline(value) {
  if (typeof value === "string") return value;
  return asJson(value);
}

function asJson(value) {
  if (Array.isArray(value)) return `[${value.map(asJson).join(", ")}]`;
  if (isObject(value)) return `{${value.o.map(([key, each]) => `${JSON.stringify(key)}: ${asJson(each)}`).join(", ")}}`;
  return typeof value === "string" ? JSON.stringify(value) : leafText(value);
}

// Many lines of JSON, for a difference.
function indented(value, margin = "") {
  const deeper = `${margin}  `;
  const lines = (open, parts, close) =>
    parts.length ? `${open}\n${parts.map((each) => deeper + each).join(",\n")}\n${margin}${close}` : open + close;
  if (Array.isArray(value))
    return lines(
      "[",
      value.map((each) => indented(each, deeper)),
      "]",
    );
  if (isObject(value))
    return lines(
      "{",
      readingOrder(value.o).map(([key, each]) => `${JSON.stringify(key)}: ${indented(each, deeper)}`),
      "}",
    );
  return asJson(value);
}

// Any value as it is read: a text as a block, anything else as names with their values, indented.
function reading(value) {
  if (typeof value === "string") return block(value);
  if (leafCount(value) > MOST_LEAVES) return block(inline(value));
  return branch(value);
}

function branch(value) {
  if (Array.isArray(value))
    return branchOf(
      "ol",
      value.map((each, index) => [String(index + 1), each]),
    );
  return isObject(value) ? branchOf("ul", readingOrder(value.o)) : leaf(value);
}

function branchOf(tag, entries) {
  const made = node(tag, "tree");
  if (!entries.length) made.append(node("li", "muted", "(empty)"));
  for (const [key, each] of entries) {
    const line = node("li");
    line.append(word("span", "key", key), branch(each));
    made.append(line);
  }
  return made;
}

function leaf(value) {
  if (typeof value === "string" && value.length > 80) return block(value);
  const made = node("span", `value ${typeof value === "string" ? "" : "typed"}`);
  made.dir = "auto";
  drawPieces(made, value === "" ? "(empty text)" : leafText(value));
  return made;
}
