// The top of the desk: what this is, why it is here, and how long there is; nothing else.

const KIND_WORDS = { second_review: "Second review", adjudication: "Adjudication", escalation: "Escalation" };
const ROUTE_WORDS = { block: "blocked until decided" };

function sentence(code) {
  return String(code).replaceAll("_", " ");
}

function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000),
    hours = Math.floor(minutes / 60),
    days = Math.floor(hours / 24);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  if (hours < 48) return minutes % 60 && hours < 8 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${days} days`;
}

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function exactTime(iso) {
  return `${EXACT.format(new Date(iso))} (${iso})`;
}

function timed(className, text, iso) {
  const made = node("time", className, text);
  made.dateTime = iso;
  made.title = exactTime(iso);
  return made;
}

function dueWords(due, now) {
  const left = Date.parse(due) - now;
  if (left < 0) return timed("chip late", `⚠ overdue by ${span(left)}`, due);
  return timed(left < 15 * 60000 ? "chip soon" : "quiet", `${left < 15 * 60000 ? "⏳ " : ""}due in ${span(left)}`, due);
}

function drawStanding(desk) {
  const { data, parts } = desk,
    { item, task } = data,
    now = Date.now() + desk.skew;
  const left = [word("strong", "", item.system_name || item.system)];
  if (task && KIND_WORDS[task.kind]) left.push(node("span", "chip kind", KIND_WORDS[task.kind]));
  if (ROUTE_WORDS[item.route]) left.push(node("span", "chip late", `⛔ ${ROUTE_WORDS[item.route]}`));
  left.push(...item.reasons.map((reason) => word("span", "chip", sentence(reason))));
  left.push(
    ...item.flags
      .filter((flag) => !flag.span)
      .slice(0, 4)
      .map(flagChip),
  );
  if (task?.due_at) left.push(dueWords(task.due_at, now));
  parts.standing.replaceChildren(...left);
  drawFacts(desk, now);
}

function drawFacts(desk, now) {
  const { item } = desk.data,
    model = [item.model, item.model_version].filter(Boolean).join(" "),
    arrived = timed("", `arrived ${span(now - Date.parse(item.received_at))} ago`, item.received_at);
  desk.parts.facts.replaceChildren(word("span", "", model), " · ", confidence(item.confidence), " · ", arrived);
}

function confidence(value) {
  const made = node(
    "span",
    "",
    value === null || value === undefined ? "no confidence given" : `confidence ${value.toFixed(2)}`,
  );
  made.title = "The system's own figure for this output";
  return made;
}

function flagChip(flag) {
  const made = word("span", flag.severity >= 4 ? "chip late" : "chip", `⚑ ${sentence(flag.code)}`);
  made.title = `Flag of severity ${flag.severity} of 5${flag.detail ? `: ${plain(flag.detail)}` : ""}`;
  return made;
}

function holdWords(expires, now) {
  const left = Date.parse(expires) - now;
  if (left > 120000) return null;
  const words = left > 0 ? `⏳ your hold ends in ${Math.ceil(left / 1000)} s` : "⚠ your hold has ended";
  return timed("chip late", words, expires);
}

// The day's tally; a hold that is about to end is more urgent and takes its place.
function drawTally(desk) {
  const { done_today: done, waiting, mode, task } = desk.data,
    ending = task?.lease_expires_at && holdWords(task.lease_expires_at, Date.now() + desk.skew);
  desk.parts.tally.replaceChildren(
    ending || (mode === "read" ? "" : `${done ?? 0} done today · ${waiting ?? 0} waiting`),
  );
}

function drawHandedUp(desk) {
  const handed = desk.data.handed_up,
    place = desk.parts.handed;
  const asked = questionLines(desk);
  place.hidden = !handed && !asked.length;
  place.replaceChildren(...asked);
  place.setAttribute("aria-label", handed ? "Handed up" : "Asked of the producer");
  if (!handed) return;
  const line = node("p");
  line.append(
    "⬆ Handed up by ",
    word("strong", "", handed.by),
    ", ",
    timed("", `${span(Date.now() + desk.skew - Date.parse(handed.at))} ago`, handed.at),
    ": ",
    word("span", "", sentence(handed.reason)),
  );
  place.prepend(line, ...(handed.note ? [block(handed.note)] : []));
}
