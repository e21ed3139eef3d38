// What a page can do with a script, and does without one as well as it can: times in the viewer's zone, keys, copying.
// Everything is delegated from the document, so that what htmx brings later needs nothing done to it.
"use strict";

document.documentElement.classList.add("scripted");
const language = document.documentElement.lang;
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const precise = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, timeZoneName: "short",
});
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

function showTime(element) {
  const at = new Date(element.dateTime);
  const text = "relative" in element.dataset ? ago(at) : exact.format(at);
  if (element.textContent !== text) element.textContent = text;
  element.title = `${precise.format(at)} · ${element.dateTime}`;
}

function showTimes(root) {
  root.querySelectorAll("time[datetime]").forEach(showTime);
}

function say(text) {
  document.getElementById("said").textContent = text;
}

function moveBy(step) {
  const rows = [...document.querySelectorAll("[data-row] .row-link")];
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))].focus();
  return true;
}

const KEYS = {
  "/": () => { const field = document.querySelector("[data-key='/']"); field?.focus(); field?.select(); return Boolean(field); },
  "?": () => { document.getElementById("keys").showModal(); return true; },
  ArrowDown: () => moveBy(1),
  ArrowUp: () => moveBy(-1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (KEYS[event.key]?.()) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-dialog]");
  if (!button) return;
  if (button.dataset.dialog) return document.getElementById(button.dataset.dialog).showModal();
  await navigator.clipboard.writeText(button.dataset.copy);
  const copied = document.getElementById("copied").content.textContent;
  say(copied);
  button.dataset.said = copied;
  setTimeout(() => { delete button.dataset.said; say(""); }, 1500);
});

document.addEventListener("htmx:after:swap", () => showTimes(document));
showTimes(document);
setInterval(() => document.querySelectorAll("time[data-relative]").forEach(showTime), 10000);
