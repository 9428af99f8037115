// Typed fields: a value that is no text is edited part by part, and every part keeps its type.

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

class Refused extends Error {}

// Each maker returns {node, read, focus}: read gives the value of now or throws Refused at its field.
function fieldFor(name, value, changed) {
  if (Array.isArray(value)) return listField(name, value, changed);
  if (isObject(value)) return objectField(name, value, changed);
  if (isNumber(value)) return numberField(name, value, changed);
  if (typeof value === "boolean") return choiceField(name, value, changed);
  return value === null ? nullField(name, changed) : textField(name, value, changed);
}

function labelled(name, input, changed, read, before) {
  const made = node("div", "field"),
    label = node("label"),
    trouble = node("span", "trouble"),
    was = node("span", "was");
  trouble.setAttribute("role", "alert");
  const note = () => {
    const now = input.value;
    was.replaceChildren();
    if (before !== undefined && now !== before) was.append("was ", word("del", "", before === "" ? "(empty)" : before));
    trouble.textContent = "";
    input.removeAttribute("aria-invalid");
    changed();
  };
  label.append(word("span", "key", name), input);
  made.append(label, was, trouble);
  input.addEventListener("input", note);
  const refuse = (why) => {
    trouble.textContent = why;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    throw new Refused(why);
  };
  return { node: made, read: () => read(refuse), focus: () => input.focus() };
}

function textField(name, value, changed) {
  const isLong = value.length > 60 || value.includes("\n"),
    input = node(isLong ? "textarea" : "input");
  if (isLong) input.rows = Math.min(6, Math.max(2, Math.ceil(value.length / 60)));
  input.value = value;
  input.dir = "auto";
  const before = input.value;
  return labelled(
    name,
    input,
    changed,
    () => (input.value === before ? value : withLineEnds(input.value, value)),
    before,
  );
}

function numberField(name, value, changed) {
  const input = node("input");
  input.inputMode = "decimal";
  input.value = value.n;
  const read = (refuse) => {
    const text = input.value.trim();
    if (!NUMBER.test(text) || !Number.isFinite(Number(text))) refuse("This is no number. Write it like 35 or 35.5.");
    return { n: /[.eE]/.test(value.n) && !/[.eE]/.test(text) ? `${text}.0` : text };
  };
  return labelled(name, input, changed, read, value.n);
}

function choiceField(name, value, changed) {
  const input = options(["true", "false"]);
  input.value = String(value);
  return labelled(name, input, changed, () => input.value === "true", String(value));
}

function options(values) {
  const select = node("select");
  select.append(...values.map((each) => Object.assign(node("option", "", each), { value: each })));
  return select;
}

const BLANK = { text: "", number: { n: "" }, "yes or no": false };

// A null stays one, or becomes a value of the type that is picked.
function nullField(name, changed) {
  const made = node("div", "field"),
    label = node("label"),
    select = options(["no value", ...Object.keys(BLANK)]),
    place = node("div");
  let inner = null;
  label.append(word("span", "key", name), select);
  made.append(label, place);
  select.addEventListener("input", () => {
    inner = select.value in BLANK ? fieldFor(`${name} is`, BLANK[select.value], changed) : null;
    place.replaceChildren(...(inner ? [inner.node] : []));
    inner?.focus();
    changed();
  });
  return { node: made, read: () => (inner ? inner.read() : null), focus: () => select.focus() };
}

function group(name) {
  const made = node("fieldset", "group");
  made.append(word("legend", "key", name));
  return made;
}

function objectField(name, value, changed) {
  const made = group(name),
    fields = value.o.map(([key, each]) => [key, fieldFor(key, each, changed)]);
  if (!fields.length) made.append(node("p", "muted", "(empty)"));
  made.append(...fields.map(([, field]) => field.node));
  return {
    node: made,
    read: () => ({ o: fields.map(([key, field]) => [key, field.read()]) }),
    focus: () => fields[0]?.[1].focus(),
  };
}

function listField(name, value, changed) {
  const made = group(name),
    entries = [];
  const adder = control("Add an entry", "quiet", () => {
    append(blankLike(value.at(-1))).focus();
    changed();
  });
  const append = (each) => {
    const line = node("div", "entry"),
      field = fieldFor(`${name} ${entries.length + 1}`, each, changed);
    const entry = { line, field },
      removal = control("Remove", "quiet", () => {
        entries.splice(entries.indexOf(entry), 1);
        line.remove();
        adder.focus();
        changed();
      });
    removal.setAttribute("aria-label", `Remove ${plain(name)} ${entries.length + 1}`);
    line.append(field.node, removal);
    entries.push(entry);
    adder.before(line);
    return field;
  };
  made.append(adder);
  value.forEach(append);
  return {
    node: made,
    read: () => entries.map(({ field }) => field.read()),
    focus: () => (entries[0]?.field ?? adder).focus(),
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
