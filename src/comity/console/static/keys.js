// The console's keys: j and k move, Enter opens, c claims, 1 to 5 choose, d dismisses, ? helps. All works without it.
"use strict";

const items = () => [...document.querySelectorAll("[data-item]")].filter((each) => each.checkVisibility());

function move(by) {
  const known = items();
  const at = known.indexOf(document.activeElement);
  const next = known[at < 0 ? (by > 0 ? 0 : known.length - 1) : Math.min(Math.max(at + by, 0), known.length - 1)];
  if (next) next.focus();
}

function press(key) {
  const item = document.activeElement.closest("li");
  const one = (item && item.querySelector(`[data-item-key="${key}"]`)) || document.querySelector(`[data-key="${key}"]`);
  if (!one || one.disabled) return false;
  one.focus();
  one.click();
  return true;
}

function help() {
  const told = document.getElementById("keys");
  if (!told) return false;
  if (told.open) told.close();
  else told.showModal();
  return true;
}

function isTyping(target) {
  return target.isContentEditable || target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
}

// Whoever speaks to the browser, or has a screen reader, may want none of these keys: they can be turned off.
const KEPT = "comity-keys";

function areOff() {
  try {
    return localStorage.getItem(KEPT) === "off";
  } catch {
    return false;
  }
}

function turn() {
  try {
    localStorage.setItem(KEPT, areOff() ? "on" : "off");
  } catch {
    return;
  }
  tellKeys();
}

function tellKeys() {
  document.body.classList.toggle("no-keys", areOff());
  for (const each of document.querySelectorAll("[data-turns]")) each.textContent = areOff() ? each.dataset.on : each.dataset.off;
  for (const each of document.querySelectorAll("[data-key]")) {
    if (areOff()) each.removeAttribute("aria-keyshortcuts");
    else each.setAttribute("aria-keyshortcuts", each.dataset.key);
  }
}

tellKeys();

document.addEventListener("keydown", (event) => {
  if (areOff()) return;
  if (event.ctrlKey && event.key === "Enter" && event.target.matches("textarea[data-key]")) {
    event.target.form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const isTaken = event.key === "?" ? help()
    : event.key === "j" ? (move(1), true)
    : event.key === "k" ? (move(-1), true)
    : /^[a-z1-5]$/.test(event.key) && press(event.key);
  if (isTaken) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-shows]");
  if (toggle) {
    const isBlurred = document.getElementById(toggle.dataset.shows).classList.toggle("blurred");
    toggle.setAttribute("aria-pressed", String(!isBlurred));
  }
  if (event.target.closest("[data-help]")) help();
  if (event.target.closest("[data-turns]")) turn();
});

// Whoever writes a measure in their own words means to choose it.
document.addEventListener("input", (event) => {
  const own = event.target.name === "own" && document.getElementById("choice-own");
  if (own) own.checked = true;
});

// What is as it was is not put in its place again: a screen reader would read it out.
document.addEventListener("htmx:beforeSwap", (event) => {
  const place = event.detail.target;
  if (place.classList.contains("live") && place.textContent === event.detail.serverResponse.trim()) event.detail.shouldSwap = false;
});

// A screen reader is told the first sentence of what came by itself, or that it came.
function say(place) {
  const said = place && place.dataset.said && document.getElementById("said");
  const first = said && place.querySelector(".notice");
  if (said) said.textContent = first ? first.textContent : place.dataset.said;
}

// After "Preview" one reads it from its beginning; a preview that comes by itself leaves the focus where it is.
document.addEventListener("htmx:afterSettle", (event) => {
  tellKeys();
  const cause = event.detail.requestConfig.triggeringEvent;
  const preview = document.getElementById("preview");
  if (cause && cause.type === "submit" && preview) preview.focus();
  else say(event.detail.target);
});
