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

document.addEventListener("keydown", (event) => {
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
});

// After "Preview" one reads it from its beginning; a preview that comes by itself leaves the focus where it is.
document.addEventListener("htmx:afterSettle", (event) => {
  const cause = event.detail.requestConfig.triggeringEvent;
  if (cause && cause.type === "submit") document.getElementById("preview").focus();
});
