// What a page can do with a script, and does without one as well as it can: times in the viewer's zone, keys, copying.
// Everything is delegated from the document, so that what htmx brings later needs nothing done to it.
"use strict";

const language = document.documentElement.lang;
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const precise = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, timeZoneName: "short",
});
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const LONG_AGO = 30 * 86400;
const said = document.getElementById("said");

// Times: each says when it was as the viewer's own clock would have shown it; those of a list, how long ago it was.

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  if (Math.abs(seconds) >= LONG_AGO) return exact.format(at);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

function showTime(element) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const text = "relative" in element.dataset ? ago(at) : exact.format(at);
  if (element.textContent !== text) element.textContent = text;
  element.title = `${precise.format(at)} · ${element.dateTime}`;
}

function showTimes() {
  document.querySelectorAll("time[datetime]").forEach(showTime);
}

// A field for a time is in UTC on the server and in an address, and in the viewer's zone before their eyes; htmx, too,
// sends what `formdata` has made of it.

function localInput(at) {
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function showZone() {
  const zone = exact.resolvedOptions().timeZone;
  document.querySelectorAll("[data-zone]").forEach((element) => { element.textContent = zone; });
  document.querySelectorAll("input[type='datetime-local']").forEach((input) => {
    if (input.defaultValue) input.value = localInput(new Date(`${input.defaultValue}Z`));
  });
}

function sendUtc(form, data) {
  for (const input of form.querySelectorAll("input[type='datetime-local']")) {
    if (input.value) data.set(input.name, new Date(input.value).toISOString().slice(0, 16));
  }
}

document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  sendUtc(event.target, event.formData);
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

// Said once, seen and heard: in the corner, and by a screen reader.

let silence;

function say(text) {
  said.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { said.textContent = ""; }, 4000);
}

function sayTemplate(id) {
  const text = document.getElementById(id).content.textContent;
  say(text);
  return text;
}

for (const failure of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(failure, (event) => {
    if (event.target.matches("[hx-sse\\:connect]")) goStale(event);
    else sayTemplate("failed");
  });
}

// Live: a part that goes on by itself is said to stand still while it does, as nobody could see it; whoever is signed out
// meanwhile is shown nothing more. htmx tries again what was lost; what never began is begun again by its trigger.

const stale = document.getElementById("stale");

function goStale(event) {
  const { status, ctx } = event.detail;
  if ((status ?? ctx?.response?.status) === 401) return location.reload(); // which leads to the sign-in, and back here
  if (stale.firstElementChild) return;
  stale.append(document.getElementById("stands-still").content.cloneNode(true));
  stale.querySelector("time").dateTime = new Date().toISOString();
  showTimes();
}

document.addEventListener("htmx:sse:error", goStale);
document.addEventListener("htmx:sse:after:connection", () => stale.replaceChildren());

// Keys. Whoever is in their way can turn them off (WCAG 2.2, 2.1.4).

const KEYS_OFF = "statekeeper-keys-off";

function remembered() {
  try { return localStorage.getItem(KEYS_OFF); } catch { return null; }
}

function remember(off) {
  try { if (off) localStorage.setItem(KEYS_OFF, "1"); else localStorage.removeItem(KEYS_OFF); } catch { /* private mode */ }
}

const keysOn = document.getElementById("keys-on");
keysOn.checked = !remembered();
keysOn.addEventListener("change", () => remember(!keysOn.checked));

function rows() {
  return [...document.querySelectorAll("[data-row] .row-link")];
}

function moveBy(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(document.activeElement.closest("[data-row]")?.querySelector(".row-link"));
  if (at === 0 && step < 0) return false;
  all[at < 0 ? 0 : Math.min(all.length - 1, at + step)].focus();
  return true;
}

function search() {
  const field = document.querySelector("[data-key='/']");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function escape(event) {
  const menu = event.target.closest("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.target.matches("[data-key='/']")) {
    event.target.blur();
  }
}

const KEYS = {
  "/": search,
  "?": () => { document.getElementById("keys").showModal(); return true; },
  ArrowDown: () => moveBy(1),
  ArrowUp: () => moveBy(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return escape(event);
  const typing = event.target.closest("input, select, textarea, [role='listbox'], dialog[open], details.menu[open]");
  if (keysOn.checked && !typing && KEYS[event.key]?.()) event.preventDefault();
});

// Clicks: what copies, what opens a dialog, a row as a whole, and anywhere beside an open menu.

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const held = document.createElement("textarea");
  held.value = text;
  document.body.append(held);
  held.select();
  document.execCommand("copy"); // all there is where the service is reached without TLS
  held.remove();
}

async function copyFrom(button) {
  try {
    await copy(button.dataset.copy);
  } catch {
    sayTemplate("failed");
    return;
  }
  button.focus();
  button.dataset.said = sayTemplate("copied");
  setTimeout(() => { delete button.dataset.said; }, 1500);
}

function openRow(event) {
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest("a, button, input, summary, label") && getSelection().isCollapsed) {
    row.querySelector(".row-link")?.click();
  }
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const button = event.target.closest("[data-copy], [data-dialog]");
  if (button?.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  else if (button) copyFrom(button);
  else openRow(event);
});

// A form that does something is sent once by two clicks; a while later again, in case it did not arrive.

document.addEventListener("submit", (event) => {
  const { dataset, method } = event.target;
  if (method !== "post") return;
  if (dataset.sent) return event.preventDefault();
  dataset.sent = "once";
  setTimeout(() => { delete dataset.sent; }, 5000);
});

// htmx: what it takes away with the focus in it gives the focus to what has come in its place.

let left = -1;

document.addEventListener("htmx:before:swap", () => {
  left = document.activeElement.closest(".onward") ? rows().length : -1;
});

document.addEventListener("htmx:after:swap", () => {
  showTimes();
  if (left >= 0 && !document.activeElement.closest("main *")) rows()[left]?.focus();
  left = -1;
});

showZone();
showTimes();
setInterval(() => document.querySelectorAll("time[data-relative]").forEach(showTime), 10000);
