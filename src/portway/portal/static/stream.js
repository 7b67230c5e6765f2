// Live log lines by server-sent events into a <pre>; at most 2000 lines are kept.
const KEPT = 2000;

export function followStream(place) {
  const source = new EventSource(place.dataset.stream);
  source.addEventListener("line", (event) => {
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 24;
    place.querySelector("[data-waiting]")?.remove();
    place.append(`${event.data}\n`);
    while (place.childNodes.length > KEPT) place.firstChild.remove();
    if (atEnd) place.scrollTop = place.scrollHeight;
  });
  source.addEventListener("end", () => source.close());
  source.addEventListener("problem", (event) => {
    place.append(`— ${event.data}\n`);
    source.close();
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}
