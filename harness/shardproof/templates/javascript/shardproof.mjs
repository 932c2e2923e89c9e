// What shardproof says to a process and hears from it, so that an adapter has only its verbs to write.
//
//     import { refused, serve } from "./shardproof.mjs";
//     serve("my-shard", { open({ topology }) { ... }, emit({ source, destination, payload }) { ... }, ... });
//
// A verb is a function, which may be asynchronous. It is given the fields of its request, by their names, and its
// result is the answer: bytes are a Buffer both ways, whole numbers of any size a BigInt, nothing is undefined.
// `refused(reason)` says that the system does not take it; `PENDING`, that it decides later. What is thrown is
// an error, and ends the run. From its import on, what console.log writes goes to stderr, since stdout belongs to the
// answers: import it before modules of yours that talk.
//
// Nothing here is yours to change. It needs Node.js 18 or later, and nothing else.

import { Console } from "node:console";

globalThis.console = new Console(process.stderr);

/** The answer to a request that the system under test does not take, and why. */
export const refused = (reason) => new Answer({ refused: String(reason) });

class Answer {
  constructor(said) {
    this.said = said;
  }
}

/** The answer to a request that will be decided later. */
export const PENDING = new Answer({ pending: true });

const PROTOCOL = 1;
const BYTES = new Set(["payload", "receipt", "header", "evidence", "siblings", "leaves"]);
const WHOLE = new Set(["index", "count", "position"]);
const TEXT = new Set(["source", "destination", "ending"]);

/** What a verb is given of a value of a request, under its name. */
function read(value, name) {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((one) => read(one, name));
  if (typeof value === "object") return fieldsOf(value);
  if (BYTES.has(name)) return Buffer.from(value, "hex");
  return WHOLE.has(name) ? BigInt(value) : value;
}

const fieldsOf = (object) => Object.fromEntries(Object.entries(object).map(([name, one]) => [name, read(one, name)]));

/** What goes back for a value, under its name. */
function written(value, name) {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map((one) => written(one, name));
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, written(one, field)]));
  // Text that happens to be hexadecimal would be taken for bytes.
  if (typeof value === "string" && !TEXT.has(name))
    throw new TypeError(`${name} is the text ${JSON.stringify(value)}: bytes are a Buffer`);
  return value;
}

/** Answer with these verbs, line by line, until stdin is closed. */
export async function serve(name, verbs, { version = "", stack = "" } = {}) {
  const greeting = { protocol: PROTOCOL, name, version, stack, verbs: Object.keys(verbs), batches: true };
  // A snapshot may be any value: what travels is the number of one.
  const snapshots = [];

  async function answered(verb, given) {
    if (verb === "restore") given = { token: snapshots[given.token] };
    const value = await verbs[verb](given);
    if (value instanceof Answer) return value.said;
    return { ok: verb === "snapshot" ? snapshots.push(value) - 1 : written(value, verb) };
  }

  async function answer({ id, verb, ...given }) {
    if (verb === "hello") return { id, ok: greeting };
    if (!Object.hasOwn(verbs, verb)) return { id, error: "unknown-verb", message: String(verb) };
    try {
      return { id, ...(await answered(verb, fieldsOf(given))) };
    } catch (error) {
      console.error(error);
      return { id, error: "internal", message: String(error) };
    }
  }

  /** Each request is carried out before the next, also of those that come in one line. */
  async function answers(line) {
    const asked = JSON.parse(line);
    if (!Array.isArray(asked)) return answer(asked);
    const said = [];
    for (const request of asked) said.push(await answer(request));
    return said;
  }

  await lines(process.stdin, async (line) => process.stdout.write(`${JSON.stringify(await answers(line))}\n`));
  // Timers and sockets of the system under test would keep the process until it is killed.
  process.exit();
}

/** Each line of a stream, to its end. */
async function lines(stream, each) {
  let begun = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const parts = (begun + chunk).split("\n");
    begun = parts.pop();
    for (const line of parts) await each(line);
  }
}
