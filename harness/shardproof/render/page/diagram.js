// The sequence diagram: a lane for each shard that takes part, one for the relayer, and one for the
// adversary where something is forged or damaged. Only rows that can be seen are drawn. What is printed
// is the drawing of `plain_sequence.py`.

const ROW = 46;
const LANE_MIN = 66;
/** About the width of a character of a label, in pixels. */
const LETTER = 7.3;

/** What a system made of a step: its own answer, which is the last one. */
function refusedBySystem(step) {
  const said = (step.answers ?? []).at(-1)?.[1] ?? "";
  return said.startsWith("refused");
}

function diagram(told, pick) {
  const scroller = byId("scroller");
  const sizer = byId("sizer");
  const canvas = byId("diagram");
  const heads = byId("heads");
  /** Room for the numbers of steps, and for the cross beside one of them. */
  const gutter = 30 + 8 * String(told.steps.length).length;
  let current = 0;
  let plan = null;
  let due = false;

  function measure() {
    const room = scroller.clientWidth;
    const side = room >= 540 ? Math.min(210, room * 0.33) : 0;
    const count = Math.max(told.lanes.length, 1);
    const gap = Math.max(LANE_MIN, Math.min(190, (room - gutter - side) / count));
    const width = Math.max(room, gutter + gap * count + side);
    plan = { side, gap, width, right: width - side, at: (lane) => gutter + gap * (lane + 0.5) };
    sizer.style.height = `${told.steps.length * ROW + 8}px`;
    sizer.style.width = `${width}px`;
    drawHeads();
  }

  function drawHeads() {
    heads.setAttribute("width", plan.width);
    heads.setAttribute("height", 34);
    heads.replaceChildren(
      ...told.lanes.map(({ name, kind }, lane) =>
        stroke(
          "text",
          { x: plan.at(lane), y: 22, class: `head ${kind}` },
          short(name, Math.floor(plan.gap / 7.6)),
          stroke("title", {}, name),
        ),
      ),
    );
    heads.style.transform = `translateX(${-scroller.scrollLeft}px)`;
  }

  function draw() {
    due = false;
    const count = told.steps.length;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - 4);
    const end = Math.min(count, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + 4);
    const height = (end - first) * ROW + 8;
    canvas.style.top = `${first * ROW}px`;
    canvas.setAttribute("width", plan.width);
    canvas.setAttribute("height", height);
    canvas.setAttribute("viewBox", `0 0 ${plan.width} ${height}`);
    const rows = [];
    for (let step = first; step < end; step++) rows.push(row(step, (step - first) * ROW));
    const lanes = told.lanes.map(({ kind }, lane) =>
      stroke("line", { x1: plan.at(lane), x2: plan.at(lane), y1: 0, y2: height, class: `lane ${kind}` }),
    );
    canvas.replaceChildren(...rows.map(([band]) => band), ...lanes, ...rows.map(([, drawn]) => drawn));
  }

  function row(index, top) {
    const step = told.steps[index];
    const y = top + ROW * 0.66;
    const kinds = [
      "row",
      step.wrong && "wrong",
      step.tampered && "tampered",
      index === current && "current",
      index > current && "ahead",
    ].filter(Boolean);
    const attributes = { class: kinds.join(" "), "data-step": index + 1 };
    const band = stroke(
      "g",
      attributes,
      stroke("rect", { class: "band", x: 4, y: top + 1, width: plan.width - 8, height: ROW - 2, rx: 6 }),
    );
    const drawn = stroke(
      "g",
      attributes,
      stroke("text", { class: "number", x: gutter - 10, y: y + 4 }, `${step.wrong ? "✕ " : ""}${index + 1}`),
      step.from === step.to ? event(step, y) : arrow(step, y),
      plan.side ? answer(step, y) : null,
      stroke(
        "rect",
        { class: "hit", x: 0, y: top, width: plan.width, height: ROW },
        stroke("title", {}, `${step.way}: ${step.label}`),
      ),
    );
    return [band, drawn];
  }

  /** Where a label of so many letters begins, so that all of it is seen. */
  function place(text, x) {
    return Math.max(gutter, Math.min(x, plan.right - 8 - text.length * LETTER));
  }

  function label(step, x, y) {
    const text = short(step.label, Math.floor((plan.right - gutter - 8) / LETTER));
    return stroke("text", { class: "label", x: place(text, x), y }, text);
  }

  function event(step, y) {
    const x = plan.at(step.from);
    const fits = x + 14 + step.label.length * LETTER <= plan.right - 8;
    return [
      refusedBySystem(step) ? cross(x, y) : stroke("circle", { class: "mark", cx: x, cy: y, r: 4.5 }),
      fits ? label(step, x + 12, y + 4) : label(step, x - (step.label.length * LETTER) / 2, y - 10),
    ];
  }

  function arrow(step, y) {
    const [start, end] = [plan.at(step.from), plan.at(step.to)];
    const way = Math.sign(end - start);
    const refused = refusedBySystem(step);
    const tip = end - way * (refused ? 12 : 2);
    return [
      stroke("line", { class: refused ? "arrow refused" : "arrow", x1: start, x2: tip, y1: y, y2: y }),
      refused
        ? cross(tip, y)
        : stroke("path", { class: "mark", d: `M${end - way * 2} ${y}l${-way * 9} -5v10z` }),
      label(step, Math.min(start, end) + 8, y - 8),
    ];
  }

  const cross = (x, y) => stroke("path", { class: "cross", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` });

  function answer(step, y) {
    const said = step.answers ?? [];
    const same = said.length < 2 || said[0][1] === said[1][1];
    const lines = same
      ? said.slice(0, 1).map(([, what]) => what)
      : said.map(([who, what]) => `${who}: ${what}`);
    if (same && step.differs) lines.push(step.differs);
    const most = Math.floor((plan.side - 12) / 6.6);
    return lines.map((line, i) =>
      stroke(
        "text",
        {
          class: lines.length > 1 ? "answer apart" : "answer",
          x: plan.right,
          y: y + 4 + (lines.length > 1 ? i * 15 - 9 : 0),
        },
        short(line, most),
      ),
    );
  }

  function soon() {
    if (!due) requestAnimationFrame(draw);
    due = true;
  }

  scroller.addEventListener("scroll", () => {
    heads.style.transform = `translateX(${-scroller.scrollLeft}px)`;
    soon();
  });
  new ResizeObserver(() => {
    measure();
    soon();
  }).observe(scroller);
  canvas.addEventListener("click", (click) => {
    const chosen = click.target.closest("[data-step]");
    if (chosen) pick(Number(chosen.dataset.step) - 1);
  });

  return {
    show(index) {
      if (!plan) measure();
      current = index;
      const top = index * ROW;
      const seen =
        top >= scroller.scrollTop + ROW && top + 2 * ROW <= scroller.scrollTop + scroller.clientHeight;
      if (!seen) scroller.scrollTop = top - (scroller.clientHeight - ROW) / 2;
      const { way, label: what } = told.steps[index];
      const lanes = told.lanes.map(({ name }) => name).join(", ");
      canvas.setAttribute(
        "aria-label",
        `Sequence diagram with the lanes ${lanes}. Step ${index + 1}, ${way}: ${what}`,
      );
      draw();
    },
  };
}
