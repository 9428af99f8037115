// The left side: what was asked, and the sources in their own frame, walked with J and K.

const INPUT_NAMES = { answer: "Question", classification: "Message", action: "Request" };
const OUTPUT_NAMES = { answer: "Answer", classification: "Label", action: "Action" };
const SOURCES_AT_ONCE = 30;

function drawAsked(desk) {
  const { item } = desk.data,
    { parts } = desk;
  parts.inputName.textContent = INPUT_NAMES[item.kind] ?? "Input";
  parts.outputName.textContent = OUTPUT_NAMES[item.kind] ?? "Output";
  parts.input.replaceChildren(reading(item.input));
  parts.input.scrollTop = 0;
}

function drawEvidence(desk) {
  const { sources } = desk.data.item,
    { evidence } = desk.parts;
  desk.source = 0;
  desk.parts.columns.dataset.sources = sources.length;
  evidence.replaceChildren();
  if (!sources.length) evidence.append(node("p", "muted", "No evidence came with this output."));
  drawSources(desk, 0);
  evidence.scrollTop = 0;
  showPlace(desk);
}

function drawSources(desk, from) {
  const { sources } = desk.data.item,
    { evidence } = desk.parts,
    to = Math.min(sources.length, from + SOURCES_AT_ONCE);
  evidence.append(...sources.slice(from, to).map((source, index) => sourceBox(source, from + index, sources.length)));
  if (to < sources.length) {
    const more = control(`Show the next of ${sources.length - to} more sources`, "more", () => {
      more.remove();
      drawSources(desk, to);
    });
    evidence.append(more);
  } else evidence.append(aboutBox(desk.data.item));
}

function sourceBox(source, index, count) {
  const made = node("section", "source"),
    head = node("h4");
  head.append(node("span", "", count > 1 ? `Source ${index + 1}` : "Source"));
  if (source.title) head.append(" · ", word("span", "title", source.title));
  if (typeof source.score === "number") head.append(node("span", "muted", ` · score ${source.score.toFixed(2)}`));
  made.append(head, block(source.text ?? ""));
  if (source.uri) made.append(word("p", "uri", source.uri));
  return made;
}

function aboutBox(item) {
  const made = node("details", "about"),
    list = node("dl");
  made.append(node("summary", "", "About this output"), list);
  const facts = [
    ["Id at the system", item.external_id],
    ["Rule", item.rule],
    ["Arrived", exactTime(item.received_at)],
    ...metadata(item.metadata),
  ];
  for (const [name, value] of facts) if (value) list.append(word("dt", "", name), word("dd", "", value));
  return made;
}

function metadata(value) {
  return Object.entries(value ?? {})
    .slice(0, 40)
    .map(([key, each]) => [key, typeof each === "string" ? each : JSON.stringify(each)]);
}

function showPlace(desk) {
  const { sources } = desk.data.item,
    { parts } = desk,
    heads = parts.evidence.querySelectorAll(".source");
  parts.place.textContent = sources.length > 1 ? `${desk.source + 1} of ${sources.length}` : "";
  parts.walk.hidden = sources.length < 2;
  heads.forEach((head, index) => head.toggleAttribute("data-current", sources.length > 1 && index === desk.source));
}

function stepSource(desk, by) {
  const { evidence } = desk.parts,
    boxes = evidence.querySelectorAll(".source");
  if (!boxes.length) return;
  desk.source = Math.min(boxes.length - 1, Math.max(0, desk.source + by));
  evidence.scrollTop +=
    boxes[desk.source].getBoundingClientRect().top - evidence.getBoundingClientRect().top - evidence.clientTop - 8;
  showPlace(desk);
  say(desk, `Source ${desk.source + 1} of ${desk.data.item.sources.length}`);
}
