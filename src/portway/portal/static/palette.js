// The command palette: Ctrl-K, type, arrows, Enter. Entries come from /palette.
const dialog = document.getElementById("pw-palette");
const field = dialog?.querySelector("input");
const list = dialog?.querySelector("ul");
let timer = 0;
let latest = 0;
let chosen = 0;

export function openPalette() {
  if (!dialog || dialog.open) return;
  field.value = "";
  dialog.showModal();
  field.focus();
  refresh();
}

field?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, 80);
});

field?.addEventListener("keydown", (event) => {
  const items = list.children;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose((chosen + (event.key === "ArrowDown" ? 1 : -1) + items.length) % Math.max(items.length, 1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    const link = items[chosen]?.querySelector("a");
    if (link) location.assign(link.href);
    else location.assign(`/search?q=${encodeURIComponent(field.value)}`);
  }
});

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

async function refresh() {
  const turn = ++latest;
  const answer = await fetch(`/palette?q=${encodeURIComponent(field.value)}`, { headers: { Accept: "application/json" } });
  if (answer.redirected) return location.assign("/login");
  const entries = answer.ok ? await answer.json() : [];
  if (turn !== latest) return;
  list.replaceChildren(...entries.map(row));
  if (!entries.length) list.append(nothing());
  choose(0);
}

function row(entry, index) {
  const item = document.createElement("li");
  item.id = `pw-palette-${index}`;
  item.role = "option";
  const link = document.createElement("a");
  link.href = entry.url;
  link.tabIndex = -1;
  link.append(icon(entry.icon), text("strong", entry.title), text("span", entry.detail), text("small", entry.group));
  item.append(link);
  item.addEventListener("pointermove", () => choose(index));
  return item;
}

function nothing() {
  const item = document.createElement("li");
  item.className = "pw-palette-nothing";
  item.textContent = "Nothing found. Enter searches everywhere.";
  return item;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${list.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

function text(tag, content) {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}

function choose(index) {
  chosen = index;
  [...list.children].forEach((item, at) => {
    const current = at === index && item.role === "option";
    item.setAttribute("aria-selected", String(current));
    if (current) {
      item.scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", item.id);
    }
  });
}
