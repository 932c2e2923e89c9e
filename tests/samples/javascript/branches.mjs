// How the branches of a bank tell each other what to book.
//
// A branch writes each order into its journal, which is chained by hashes. Now and then it signs a statement: how long
// its journal is, and what its last link is. Orders travel by any queue that there is, and arrive late, twice or never.
// A branch books what it can see from a statement and an extract: the link before the order, and what came after it.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const KEY = process.env.BRANCH_KEY ?? "known to every branch, and to nobody else";
const DIGEST_BYTES = 32;

/** A branch does not book what it was shown. */
export class NotBooked extends Error {}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const digestOf = (order) => sha256("order", order);
const linkOf = (before, digest) => sha256("link", before, digest);
const signatureOf = (text) => createHmac("sha256", KEY).update(text).digest();
const isSigned = (text, signature) =>
  signature.length === DIGEST_BYTES && timingSafeEqual(signature, signatureOf(text));

export class Branch {
  #journal = [];
  #links = [Buffer.alloc(DIGEST_BYTES)];
  #statements = 0;
  #seen = new Set();
  bookings = [];

  constructor(name) {
    this.name = name;
  }

  /** Write an order to another branch into the journal. */
  order(to, what) {
    const order = Buffer.from(JSON.stringify({ from: this.name, to, number: this.#journal.length, what }));
    this.#journal.push(order);
    this.#links.push(linkOf(this.#links.at(-1), digestOf(order)));
    return order;
  }

  /** Sign how far the journal has come. */
  statement() {
    const [length, last] = [this.#journal.length, this.#links.at(-1).toString("hex")];
    const text = JSON.stringify({ branch: this.name, number: ++this.#statements, length, last });
    return { text, signature: signatureOf(text) };
  }

  /** What shows that an order is in the journal of a statement; undefined if it is not. */
  extract(order, { text }) {
    const at = this.#journal.findIndex((other) => other.equals(order));
    const { length } = JSON.parse(text);
    if (at < 0 || at >= length) return undefined;
    return [this.#links[at], ...this.#journal.slice(at + 1, length).map(digestOf)];
  }

  /** Book an order of another branch, once. Throws `NotBooked`. */
  book(order, { text, signature }, extract) {
    if (!isSigned(text, signature)) throw new NotBooked("not signed");
    if (extract.length === 0) throw new NotBooked("no extract");
    const [before, ...after] = extract;
    const last = after.reduce(linkOf, linkOf(before, digestOf(order)));
    if (last.toString("hex") !== JSON.parse(text).last) throw new NotBooked("not in that journal");
    const { from, to, number, what } = JSON.parse(order);
    if (to !== this.name) throw new NotBooked("for another branch");
    if (this.#seen.has(`${from} ${number}`)) throw new NotBooked("booked before");
    this.#seen.add(`${from} ${number}`);
    this.bookings.push({ from, what });
  }
}
