// Small behaviours on top of plain pages. Everything here is a convenience: pages and forms work without it.
import { openPalette } from "./palette.js";

const $ = (selector, within = document) => within.querySelector(selector);

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  }
  if (event.key === "Escape") closeMenus(null);
});

document.addEventListener("click", async (event) => {
  closeMenus(event.target);
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.classList.add("pw-done");
    setTimeout(() => copy.classList.remove("pw-done"), 1500);
  }
});

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.pw-pop[open]")) {
    if (!except || !menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// The search field at the top opens the palette for those who click it.
for (const field of document.querySelectorAll("[data-palette]")) {
  field.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    openPalette();
  });
}

// The label that opens the menu on narrow screens answers to the keyboard too.
$(".pw-menu-button")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    event.currentTarget.click();
  }
});

// A live fragment is replaced as a whole: what the reader unfolded stays unfolded, logs stay at their end.
const remembered = new WeakMap();
document.addEventListener("htmx:beforeSwap", (event) => remember(event.detail.target));
document.addEventListener("htmx:sseBeforeMessage", (event) => remember(event.target));
document.addEventListener("htmx:afterSettle", (event) => restore(event.target));
document.addEventListener("htmx:sseMessage", (event) => restore(event.target));

function remember(target) {
  if (!target?.querySelectorAll) return;
  const open = new Map();
  for (const item of target.querySelectorAll("details[id]")) open.set(item.id, item.open);
  const scrolls = new Map();
  for (const log of target.querySelectorAll("[data-log][id]")) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    if (!atEnd) scrolls.set(log.id, log.scrollTop);
  }
  remembered.set(target, { open, scrolls });
}

function restore(target) {
  const state = remembered.get(target);
  for (const [id, wasOpen] of state?.open ?? []) {
    const item = document.getElementById(id);
    if (item && item.dataset.touched !== undefined) item.open = wasOpen;
  }
  followLogs(target, state?.scrolls ?? new Map());
}

document.addEventListener(
  "click",
  (event) => {
    const summary = event.target.closest("details[id] > summary");
    if (summary) touched.add(summary.parentElement.id);
  },
  true,
);
const touched = new Set();
document.addEventListener("htmx:load", (event) => {
  for (const item of event.target.querySelectorAll?.("details[id]") ?? []) {
    if (touched.has(item.id)) item.dataset.touched = "";
  }
});

function followLogs(within, scrolls = new Map()) {
  for (const log of within.querySelectorAll?.("[data-log]") ?? []) {
    log.scrollTop = scrolls.get(log.id) ?? log.scrollHeight;
  }
}
followLogs(document);

// Islands: loaded only where their element is.
async function islands(within) {
  for (const place of within.querySelectorAll?.("[data-graph]:not([data-ready])") ?? []) {
    place.dataset.ready = "";
    const { drawGraph } = await import("./graph.js");
    await drawGraph(place);
  }
  for (const place of within.querySelectorAll?.("[data-stream]:not([data-ready])") ?? []) {
    place.dataset.ready = "";
    const { followStream } = await import("./stream.js");
    followStream(place);
  }
}
islands(document);
document.addEventListener("htmx:load", (event) => islands(event.target));
