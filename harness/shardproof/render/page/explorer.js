// The page as a whole: which step is shown, and every way to another one.

const told = JSON.parse(byId("content").textContent);
const count = told.steps.length;
const wrong = told.steps.findIndex((step) => step.wrong);

/** A step while playing, in milliseconds: time to read a line. */
const PACE = 1100;
/** Only when nothing moves for so long is the step written into the address and read out. */
const SETTLED = 250;

let current = -1;
let playing = 0;
let settling = 0;

if (count) begin();

function begin() {
  document.documentElement.classList.add("live");
  for (const id of ["picture", "moment", "timeline", "copy", "unfold"]) byId(id).hidden = false;
  const picture = diagram(told, (index) => go(index));
  const moment = moments(told);
  const scrub = byId("scrub");
  drawMarks();

  function show(index) {
    current = index;
    const step = told.steps[index];
    picture.show(index);
    byId("moment").replaceChildren(...moment(index));
    scrub.value = index + 1;
    scrub.setAttribute("aria-valuetext", `step ${index + 1} of ${count}: ${step.label}`);
    byId("where").textContent = `${index + 1} / ${count}`;
    byId("first").disabled = byId("back").disabled = index === 0;
    byId("forward").disabled = byId("last").disabled = index === count - 1;
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLED);
  }

  function settle() {
    const step = told.steps[current];
    const said = (step.answers ?? []).map(([who, what]) => `${who}: ${what}`).join("; ");
    byId("status").textContent = [
      `Step ${current + 1} of ${count}. ${step.way}: ${step.label}`,
      said,
      step.wrong ? "Here it goes wrong" : "",
      step.refusedBy?.replaceAll("`", ""),
    ]
      .filter(Boolean)
      .join(". ");
    if (location.hash !== `#step-${current + 1}`) history.replaceState(null, "", `#step-${current + 1}`);
  }

  let next = -1;
  let reading = false;
  /** To a step; of many in one frame (a slider that is drawn) only the last one is shown. */
  function go(index) {
    if (next < 0) requestAnimationFrame(arrive);
    next = Math.max(0, Math.min(count - 1, index));
  }
  function arrive() {
    if (next !== current) show(next);
    // Who followed a link has lost it with its step: the next thing to be read is the new one.
    if (reading) byId("step-title").focus({ preventScroll: true });
    next = -1;
    reading = false;
  }
  const from = () => (next < 0 ? current : next);

  // ---- playing --------------------------------------------------------------------------------------

  function play(on) {
    clearInterval(playing);
    playing = 0;
    if (on) {
      if (current === count - 1) go(0);
      playing = setInterval(() => (current === count - 1 ? play(false) : go(current + 1)), PACE);
    }
    byId("play").textContent = on ? "❚❚" : "▶\ufe0e";
    byId("play").setAttribute("aria-pressed", String(Boolean(on)));
  }

  // ---- ways to a step ---------------------------------------------------------------------------------

  const ways = {
    ArrowRight: () => go(from() + 1),
    ArrowLeft: () => go(from() - 1),
    Home: () => go(0),
    End: () => go(count - 1),
    " ": () => play(!playing),
    x: () => wrong >= 0 && go(wrong),
    "?": () => byId("help").showModal(),
  };
  document.addEventListener("keydown", (key) => {
    const way = ways[key.key];
    if (!way || key.ctrlKey || key.metaKey || key.altKey || byId("help").open) return;
    // A button is pressed by a space, and a slider that has the focus moves by itself.
    if (key.key === " " && key.target.closest("button, a, summary")) return;
    if (key.target === scrub && key.key !== " " && key.key !== "?" && key.key !== "x") return;
    key.preventDefault();
    way();
  });
  for (const [id, way] of [
    ["first", "Home"],
    ["back", "ArrowLeft"],
    ["play", " "],
    ["forward", "ArrowRight"],
    ["last", "End"],
    ["keys", "?"],
  ]) {
    byId(id).addEventListener("click", ways[way]);
  }
  scrub.addEventListener("input", () => go(Number(scrub.value) - 1));
  document.addEventListener("click", (click) => {
    const link = click.target.closest('a[href^="#step-"]');
    if (!link || click.ctrlKey || click.metaKey) return;
    click.preventDefault();
    reading = true;
    go(Number(link.hash.slice(6)) - 1);
    byId("moment").scrollIntoView({ block: "nearest" });
  });
  addEventListener("hashchange", () => {
    const asked = named();
    if (asked >= 0 && asked !== current) go(asked);
  });

  function named() {
    const number = /^#step-(\d{1,9})$/.exec(location.hash)?.[1];
    return number && number >= 1 && number <= count ? number - 1 : -1;
  }

  // ---- the rest of the page -----------------------------------------------------------------------------

  byId("unfold").addEventListener("click", () => {
    const open = byId("telling").classList.toggle("open");
    byId("unfold").setAttribute("aria-expanded", String(open));
  });
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("replay").textContent);
      byId("copy").textContent = "copied";
    } catch {
      // Where a page may not write there, what is selected can still be copied by hand.
      getSelection().selectAllChildren(byId("replay"));
    }
  });

  show(named() >= 0 ? named() : told.open);
}

/** Above the slider: where steps were refused, what was tampered with, and where it goes wrong. */
function drawMarks() {
  const at = (index) => `${count > 1 ? (100 * index) / (count - 1) : 0}%`;
  const marked = told.steps.flatMap((step, index) =>
    step.wrong || (count <= 400 && (step.tampered || refusedBySystem(step))) ? [[step, index]] : [],
  );
  byId("marks").replaceChildren(
    ...marked.map(([step, index]) =>
      step.wrong
        ? stroke("text", { class: "wrong", x: at(index), y: 11 }, "✕")
        : stroke("line", {
            class: step.tampered ? "tampered" : "refused",
            x1: at(index),
            x2: at(index),
            y1: 4,
            y2: 12,
          }),
    ),
  );
}
