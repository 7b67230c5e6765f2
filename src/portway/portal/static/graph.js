// The relations graph of an entity: a click opens what it shows. The list beside it says the same without scripts.
const COLOURS = {
  component: "#0f766e", api: "#7c5cbf", resource: "#b45f06", system: "#2563a8",
  domain: "#4b5f7a", group: "#a83f5a", user: "#a83f5a", template: "#5a7d1f",
};

export async function drawGraph(place) {
  const [{ default: cytoscape }, data] = await Promise.all([
    import("./dist/cytoscape.mjs"),
    fetch(place.dataset.graph).then((answer) => answer.json()),
  ]);
  const style = getComputedStyle(place);
  const ink = style.getPropertyValue("--pw-ink").trim();
  const line = style.getPropertyValue("--pw-line-strong").trim();
  const paper = style.getPropertyValue("--pw-paper").trim();
  const graph = cytoscape({
    container: place,
    elements: [
      ...data.nodes.map((node) => ({ data: { ...node, colour: COLOURS[node.kind] ?? "#6b7280" } })),
      ...data.edges.map((edge) => ({ data: edge })),
    ],
    style: [
      { selector: "node", style: { label: "data(label)", color: ink, "font-size": 11, "font-family": style.fontFamily,
        "background-color": "data(colour)", width: 22, height: 22, "text-valign": "bottom", "text-margin-y": 5,
        "text-wrap": "ellipsis", "text-max-width": 120, shape: "round-rectangle" } },
      { selector: "node[?centre]", style: { width: 34, height: 34, "font-size": 13, "font-weight": 600,
        "border-width": 3, "border-color": "#f2a541" } },
      { selector: "node[?missing]", style: { "background-opacity": 0.25, "border-style": "dashed", "border-width": 1, "border-color": line } },
      { selector: "edge", style: { width: 1.4, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle",
        "arrow-scale": 0.8, "curve-style": "bezier", label: "data(label)", "font-size": 9, color: ink,
        "text-background-color": paper, "text-background-opacity": 0.9, "text-background-padding": 2, "text-rotation": "autorotate" } },
    ],
    layout: { name: "breadthfirst", directed: false, circle: data.nodes.length > 4, roots: ["centre"], spacingFactor: 1.25, padding: 24, animate: false },
    maxZoom: 1.6, minZoom: 0.2, autounselectify: true,
  });
  graph.on("tap", "node", (event) => {
    const url = event.target.data("url");
    if (url) location.assign(url);
  });
  graph.on("mouseover", "node[url]", () => { place.style.cursor = "pointer"; });
  graph.on("mouseout", "node", () => { place.style.cursor = ""; });
  graph.userZoomingEnabled(false);
  place.addEventListener("click", () => graph.userZoomingEnabled(true), { once: true });
}
