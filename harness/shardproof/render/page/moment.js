// One step in words: who said what, why the model refuses, what was shown, and what each shard holds.

/** Facts of one shard that are as they were: more are shown when asked for. */
const FACTS_SHOWN = 16;
/** Effects in the answer of the model; all of them are in the tables. */
const EFFECTS_SHOWN = 6;

function moments(told) {
  const after = worlds(told);
  const count = told.steps.length;

  return function moment(index) {
    const step = told.steps[index];
    const parts = [
      crown(step, index),
      answers(step),
      guard(step),
      step.evidence ? evidence(step.evidence) : null,
    ];
    return [...parts.filter(Boolean), shards(step, index)];
  };

  function crown(step, index) {
    return make(
      "div",
      { class: "crown" },
      make(
        "h2",
        { id: "step-title", tabindex: -1 },
        `Step ${index + 1} `,
        make("span", { class: "of" }, `of ${count}`),
        make(
          "a",
          {
            class: "permalink",
            href: `#step-${index + 1}`,
            title: "link to this step",
            "aria-label": `link to step ${index + 1}`,
          },
          "#",
        ),
        step.wrong ? make("strong", { class: "here" }, "here it goes wrong") : null,
      ),
      make(
        "p",
        { class: "tried" },
        make("span", { class: "way" }, foreign(step.way)),
        make("code", {}, foreign(step.label)),
      ),
    );
  }

  // ---- model and system ---------------------------------------------------------------------------

  function answers(step) {
    const said = step.answers ?? [];
    const same = said.length < 2 || said[0][1] === said[1][1] || said[0][1] === "either is right";
    const cards = said.map(([who, what], i) => {
      const apart = (step.wrong || !same) && said.length > 1 && i === said.length - 1;
      return make(
        "div",
        { class: `answer-of${apart ? " apart" : ""}${what.startsWith("refused") ? " refuses" : ""}` },
        make("h3", {}, foreign(who)),
        make(
          "p",
          { class: "what" },
          make("span", { class: "sign", "aria-hidden": "true" }, what.startsWith("refused") ? "✕" : "✓"),
          foreign(what),
        ),
        who === "model" ? modelSays(step) : list(i === said.length - 1 ? step.changed : []),
        apart
          ? make(
              "p",
              { class: "differs" },
              make("span", { "aria-hidden": "true" }, "≠ "),
              same
                ? "the answer is right, what it did is not"
                : `not as ${said[0][0] === "model" ? "the model" : said[0][0]}`,
            )
          : null,
      );
    });
    const facts = [
      ["refused by", step.refusedBy],
      ["differs", step.differs],
    ].filter(([, text]) => text);
    return make(
      "section",
      { class: `answers${step.wrong ? " wrong" : ""}`, "aria-label": "answers" },
      make("div", { class: "sides" }, ...cards),
      facts.length ? pairs(facts.map(([name, text]) => [name, sentence(text, count)])) : null,
      step.astray
        ? make("p", { class: "astray" }, "the model could not follow: ", ...sentence(step.astray, count))
        : null,
    );
  }

  function modelSays(step) {
    const changes = step.delta ?? [];
    if (!changes.length) return make("p", { class: "effects" }, "nothing changes");
    const told = changes.slice(0, EFFECTS_SHOWN).map(changeInWords);
    return list(
      changes.length > EFFECTS_SHOWN ? [...told, `and ${changes.length - EFFECTS_SHOWN} more`] : told,
    );
  }

  function changeInWords([before, now]) {
    const [home, text] = told.facts[now >= 0 ? now : before];
    const place = told.homes[home];
    return `${place}: ${now >= 0 ? "" : "no longer "}${text}`;
  }

  function list(texts) {
    return texts?.length
      ? make("ul", { class: "effects" }, ...texts.map((text) => make("li", {}, foreign(text))))
      : null;
  }

  function pairs(rows) {
    return make(
      "dl",
      {},
      ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
    );
  }

  // ---- the guard ----------------------------------------------------------------------------------

  function guard(step) {
    if (!step.guard) return null;
    const refusing = step.guard.find(([, since]) => since !== undefined);
    const rows = step.guard.map((stood) => {
      const [number, since, story] = stood;
      const [refusal, text, meanings] = told.clauses[number];
      const holds = since === undefined;
      const kind = holds ? "holds" : stood === refusing ? "refuses" : "also";
      const why = story || (since >= 0 ? `false since step ${since + 1}` : "never was true");
      return make(
        "li",
        { class: kind },
        make("span", { class: "sign", "aria-hidden": "true" }, holds ? "✓" : "✕"),
        make("code", { class: "condition" }, foreign(text)),
        make(
          "span",
          { class: "mark" },
          holds ? "holds" : [kind === "refuses" ? "refuses: " : "would refuse: ", foreign(refusal)],
        ),
        holds ? null : make("p", { class: "why" }, sentence(why, count)),
        make(
          "p",
          { class: "means" },
          ...meanings.flatMap((meaning) => [...sentence(told.meanings[meaning]), " "]),
        ),
      );
    });
    return make(
      "section",
      { class: "guard card", "aria-labelledby": "guard-title" },
      make("h3", { id: "guard-title" }, "Guard"),
      make("ol", {}, ...rows),
    );
  }

  // ---- what shards hold ---------------------------------------------------------------------------

  function shards(step, index) {
    const before = after(index);
    const changes = told.homes.map(() => []);
    for (const [old, now] of step.delta ?? []) changes[told.facts[now >= 0 ? now : old][0]].push([old, now]);
    const quiet = [];
    const [busy, still] = [[], []];
    told.homes.forEach((home, place) => {
      if (!before[place].size && !changes[place].length) quiet.push(home);
      else
        (changes[place].length ? busy : still).push(
          table(home, before[place], changes[place], step.names ?? []),
        );
    });
    return make(
      "section",
      { class: "shards", "aria-labelledby": "shards-title" },
      make("h3", { id: "shards-title" }, "What the model holds"),
      make("div", { class: "tables" }, ...busy, ...still),
      quiet.length ? make("p", { class: "quiet" }, "as in the beginning: ", foreign(quiet.join(", "))) : null,
    );
  }

  function table(home, before, changes, names) {
    const gone = new Set(changes.map(([old]) => old));
    const same = [...before].filter((fact) => !gone.has(fact));
    const heads = changes.length
      ? [make("th", { scope: "col" }, "before"), make("th", { scope: "col" }, "after")]
      : [make("th", { scope: "col", colspan: 2 }, "before and after")];
    return make(
      "div",
      { class: changes.length ? "card" : "card still" },
      make(
        "table",
        {},
        make(
          "caption",
          {},
          foreign(home),
          make("span", { class: "mark" }, changes.length ? `${changes.length} changed` : "unchanged"),
        ),
        make("thead", {}, make("tr", {}, ...heads)),
        make("tbody", {}, ...changes.map(changed), unchanged(same, names)),
      ),
    );
  }

  function changed([old, now]) {
    const [sign, word] = old < 0 ? ["+", "new"] : now < 0 ? ["−", "gone"] : ["≠", "changed"];
    const meaning = told.facts[now >= 0 ? now : old][2];
    const cell = (fact, ...more) =>
      make("td", {}, fact >= 0 ? make("code", {}, foreign(told.facts[fact][1])) : null, ...more);
    return make(
      "tr",
      { class: `changed ${word}` },
      cell(old, old < 0 ? make("span", { class: "none" }, "–") : null),
      cell(
        now,
        make("span", { class: "sign" }, `${sign} ${word}`),
        meaning >= 0 ? make("p", { class: "means" }, ...sentence(told.meanings[meaning])) : null,
      ),
    );
  }

  /** What stays: first what the step speaks of, then the newest. */
  function unchanged(facts, names) {
    if (!facts.length) return null;
    const speaksOf = (fact) => names.some((name) => ` ${told.facts[fact][1]} `.includes(` ${name} `));
    const near = facts.length > FACTS_SHOWN ? facts.filter(speaksOf).slice(-FACTS_SHOWN) : [];
    const chosen = new Set([...near, ...facts.slice(-(FACTS_SHOWN - near.length) || facts.length)]);
    const item = (fact) => make("li", {}, make("code", {}, foreign(told.facts[fact][1])));
    const shown = make("ul", { class: "facts" }, ...facts.filter((fact) => chosen.has(fact)).map(item));
    const rest = facts.length - chosen.size;
    const more =
      rest > 0
        ? make("button", { type: "button", class: "more" }, `and ${rest.toLocaleString("en")} more`)
        : null;
    more?.addEventListener("click", () => {
      shown.replaceChildren(...facts.map(item));
      shown.tabIndex = -1;
      shown.focus();
      more.remove();
    });
    return make("tr", { class: "same" }, make("td", { colspan: 2 }, shown, more));
  }
}
