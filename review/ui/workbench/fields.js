// Typed fields: a value that is no text is edited part by part, and every part keeps its type.

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

class Refused extends Error {}

// Each maker returns {node, read, focus}: read gives the value of now or throws Refused at its field. `before` is what
// the value was at first, for what the reader is told.
function fieldFor(name, value, before = value) {
  if (Array.isArray(value)) return listField(name, value, before);
  if (isObject(value)) return objectField(name, value, before);
  if (isNumber(value)) return numberField(name, value, before);
  if (typeof value === "boolean") return choiceField(name, value, before);
  return value === null ? nullField(name) : textField(name, value, before);
}

function labelled(name, input, read, before) {
  const made = node("div", "field"),
    label = node("label"),
    trouble = node("span", "trouble"),
    was = node("span", "was"),
    first = before === null ? "no value" : inline(before).replace(/\r\n?/g, "\n");
  trouble.setAttribute("role", "alert");
  const note = () => {
    was.replaceChildren();
    if (input.value !== first) was.append("was ", word("del", "", first || "(empty)"));
    trouble.textContent = "";
    input.removeAttribute("aria-invalid");
  };
  label.append(word("span", "key", name), input);
  made.append(label, was, trouble);
  input.addEventListener("input", note);
  note();
  const refuse = (why) => {
    trouble.textContent = why;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    throw new Refused(why);
  };
  const show = (steps, why) => {
    try {
      refuse(why);
    } catch (refusal) {
      return refusal instanceof Refused;
    }
    return false;
  };
  return { node: made, read: () => read(refuse), focus: () => input.focus(), refuse: show };
}

const STEP = /\.([A-Za-z]\w*)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]/g;

// The way to a part of the correction, of a name like "correction.lines[0].eur"; null for any other name.
function fieldSteps(name) {
  if (!name?.startsWith("correction")) return null;
  return [...name.matchAll(STEP)].map(([, key, place, quoted]) => key ?? place ?? quoted.replace(/\\(.)/g, "$1"));
}

function textField(name, value, before) {
  const isLong = value.length > 60 || value.includes("\n"),
    input = node(isLong ? "textarea" : "input");
  if (isLong) input.rows = Math.min(6, Math.max(2, Math.ceil(value.length / 60)));
  input.value = value;
  input.dir = "auto";
  const shown = input.value;
  return labelled(name, input, () => (input.value === shown ? value : withLineEnds(input.value, value)), before);
}

function numberField(name, value, before) {
  const input = node("input");
  input.inputMode = "decimal";
  input.value = value.n;
  const read = (refuse) => {
    const text = input.value.trim();
    if (!NUMBER.test(text) || !Number.isFinite(Number(text))) refuse("This is no number. Write it like 35 or 35.5.");
    return { n: /[.eE]/.test(value.n) && !/[.eE]/.test(text) ? `${text}.0` : text };
  };
  return labelled(name, input, read, before);
}

function choiceField(name, value, before) {
  const input = options(["true", "false"]);
  input.value = String(value);
  return labelled(name, input, () => input.value === "true", before);
}

function options(values) {
  const select = node("select");
  select.append(...values.map((each) => Object.assign(node("option", "", each), { value: each })));
  return select;
}

const BLANK = { text: "", number: { n: "" }, "yes or no": false };

// A null stays one, or becomes a value of the type that is picked.
function nullField(name) {
  const made = node("div", "field"),
    label = node("label"),
    select = options(["no value", ...Object.keys(BLANK)]),
    place = node("div");
  let inner = null;
  label.append(word("span", "key", name), select);
  made.append(label, place);
  select.addEventListener("input", () => {
    inner = select.value in BLANK ? fieldFor(`${name} is`, BLANK[select.value], null) : null;
    place.replaceChildren(...(inner ? [inner.node] : []));
    inner?.focus();
  });
  return {
    node: made,
    read: () => (inner ? inner.read() : null),
    focus: () => select.focus(),
    refuse: (steps, why) => inner?.refuse?.(steps, why) ?? false,
  };
}

function group(name) {
  const made = node("fieldset", "group");
  made.append(word("legend", "key", name));
  return made;
}

function objectField(name, value, before) {
  const made = group(name),
    was = new Map(isObject(before) ? before.o : []),
    fields = new Map(readingOrder(value.o).map(([key, each]) => [key, fieldFor(key, each, was.get(key))]));
  if (!fields.size) made.append(node("p", "muted", "(empty)"));
  made.append(...[...fields.values()].map((field) => field.node));
  return {
    node: made,
    read: () => ({ o: value.o.map(([key]) => [key, fields.get(key).read()]) }),
    focus: () => [...fields.values()][0]?.focus(),
    refuse: ([key, ...rest], why) => fields.get(key)?.refuse?.(rest, why) ?? false,
  };
}

function listField(name, value, before) {
  const made = group(name),
    entries = [];
  const adder = control("Add an entry", "quiet", () => {
    append(blankLike(value.at(-1))).focus();
  });
  const append = (each, first) => {
    const line = node("div", "entry"),
      field = fieldFor(`${name} ${entries.length + 1}`, each, first);
    const entry = { line, field },
      removal = control("Remove", "quiet", () => {
        entries.splice(entries.indexOf(entry), 1);
        line.remove();
        adder.focus();
      });
    removal.setAttribute("aria-label", `Remove ${plain(name)} ${entries.length + 1}`);
    line.append(field.node, removal);
    entries.push(entry);
    adder.before(line);
    return field;
  };
  made.append(adder);
  const isAsLong = Array.isArray(before) && before.length === value.length;
  value.forEach((each, place) => append(each, isAsLong ? before[place] : undefined));
  return {
    node: made,
    read: () => entries.map(({ field }) => field.read()),
    focus: () => (entries[0]?.field ?? adder).focus(),
    refuse: ([place, ...rest], why) => entries[Number(place)]?.field.refuse?.(rest, why) ?? false,
  };
}

// A new entry has the shape of its neighbour, emptied.
function blankLike(value) {
  if (Array.isArray(value)) return [];
  if (isObject(value)) return { o: value.o.map(([key, each]) => [key, blankLike(each)]) };
  return value === undefined ? null : (BLANK[kindOf(value)] ?? null);
}

// A text field has only \n; the line ends of the original come back where it had \r\n throughout.
function withLineEnds(text, original) {
  return /\r\n/.test(original) && !/(^|[^\r])\n/.test(original) ? text.replace(/\n/g, "\r\n") : text;
}
