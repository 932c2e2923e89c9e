// What the model holds around each step, from what changes at each. Some worlds are kept whole, so
// that any step of a long trace is a few changes away from one that is known.

const KEPT_EVERY = 128;

/** For each home, the numbers of the facts held there, in order of appearance; by count of steps. */
function worlds(told) {
  const home = (fact) => told.facts[fact][0];
  const copy = (world) => world.map((facts) => new Set(facts));
  const kept = [told.homes.map(() => new Set())];

  function advance(world, step) {
    for (const [before, after] of told.steps[step].delta ?? []) {
      if (before >= 0) world[home(before)].delete(before);
      if (after >= 0) world[home(after)].add(after);
    }
  }

  return function after(count) {
    const whole = Math.floor(count / KEPT_EVERY);
    while (kept.length <= whole) {
      const next = copy(kept.at(-1));
      const from = (kept.length - 1) * KEPT_EVERY;
      for (let step = from; step < from + KEPT_EVERY; step++) advance(next, step);
      kept.push(next);
    }
    const world = copy(kept[whole]);
    for (let step = whole * KEPT_EVERY; step < count; step++) advance(world, step);
    return world;
  };
}
