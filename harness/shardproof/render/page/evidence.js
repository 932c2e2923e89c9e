// The evidence that a step shows, as a Merkle tree: the leaf, the way up, the hashes beside it, and
// what of all that the adversary has damaged.

const LEVEL = 58;
const SLOT = 104;
const BOX = { width: 92, height: 28 };

function evidence(shown) {
  const parts = [
    make("p", { class: "says" }, ...sentence(shown.says)),
    ...shown.harm.map(([how, what]) =>
      make("p", { class: "harm" }, make("strong", {}, `${how}: `), foreign(what)),
    ),
    ...(shown.tree ? [tree(shown), legend()] : []),
  ];
  return make(
    "section",
    { class: "evidence card", "aria-labelledby": "evidence-title" },
    make("h3", { id: "evidence-title" }, "Evidence"),
    ...parts,
  );
}

function legend() {
  return make(
    "p",
    { class: "legend" },
    make("span", { class: "key way" }, "computed on the way up"),
    make("span", { class: "key shown" }, "shown by the relayer"),
  );
}

/** Boxes and lines, the root on top; each leaf has a slot of its own. As `plain_tree.py` draws them. */
function tree(shown) {
  const lines = [];
  const boxes = [];
  let slots = 0;
  let deepest = 0;

  function lay(node, depth) {
    deepest = Math.max(deepest, depth);
    const below = (node.parts ?? []).map((part) => lay(part, depth + 1));
    const x = below.length
      ? below.reduce((sum, place) => sum + place, 0) / below.length
      : (slots++ + 0.5) * SLOT;
    const y = depth * LEVEL + 8;
    (node.parts ?? []).forEach((part, i) => {
      lines.push(
        stroke("line", {
          class: `edge ${part.role}`,
          x1: x,
          y1: y + BOX.height,
          x2: below[i],
          y2: y + LEVEL,
        }),
      );
    });
    boxes.push(box(node, x, y));
    return x;
  }

  lay(shown.tree, 0);
  const [width, height] = [slots * SLOT, deepest * LEVEL + BOX.height + 32];
  const drawing = stroke(
    "svg",
    {
      class: "tree",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": shown.alt || shown.says || "Merkle tree",
    },
    ...lines,
    ...boxes,
  );
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Merkle tree" }, drawing);
}

function box(node, x, y) {
  const { damaged } = node;
  const kind = ["node", node.role, damaged && "damaged", node.folded && "folded"].filter(Boolean).join(" ");
  const left = x - BOX.width / 2;
  const shape = node.folded
    ? stroke("path", { d: `M${x} ${y - 4}L${left + BOX.width} ${y + BOX.height}H${left}z` })
    : stroke("rect", { x: left, y, width: BOX.width, height: BOX.height, rx: 6 });
  return stroke(
    "g",
    { class: kind },
    shape,
    stroke("text", { x, y: y + BOX.height / 2 + (node.folded ? 10 : 4) }, short(node.name, 12)),
    damaged
      ? stroke("path", { class: "cross", d: `M${left + BOX.width - 6} ${y - 6}l12 12m0 -12l-12 12` })
      : null,
    damaged ? stroke("text", { class: "word", x, y: y + BOX.height + 15 }, "damaged") : null,
    stroke("title", {}, node.name),
  );
}
