// A sharded chain in JavaScript, as a process that shardproof can check. It needs Node.js, and nothing else.
//
//     shardproof fuzz --adapter 'cmd:node harness/examples/javascript/shard.mjs'
//
// All shards live in this one process. A block commits to every receipt that its shard has ever emitted, by the
// Merkle tree of RFC 9162; consensus makes it final by a seal, which stands for the signatures of a quorum; a light
// client of another shard believes sealed headers only. At the end stand the verbs; what they say on the wire is in
// shardproof.mjs, which `shardproof init --javascript` writes beside an adapter of your own.

import { createHash, createHmac } from "node:crypto";

import { refused, serve } from "../../shardproof/templates/javascript/shardproof.mjs";

const GENESIS = "";

// ---- the commitment --------------------------------------------------------------------------------------

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const leafOf = (data) => sha256(Buffer.of(0), data);
const nodeOf = (left, right) => sha256(Buffer.of(1), left, right);

/** The largest power of two that is smaller than `count`. */
function splitOf(count) {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function rootOf(leaves) {
  if (leaves.length === 0) return sha256(Buffer.alloc(0));
  if (leaves.length === 1) return leaves[0];
  const split = splitOf(leaves.length);
  return nodeOf(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** The siblings of a leaf, from the bottom up. */
function pathOf(index, leaves) {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathOf(index, left), rootOf(right)] : [...pathOf(index - split, right), rootOf(left)];
}

/** The root above a leaf among `count`; null if these cannot be its siblings. */
function climb(leaf, index, count, siblings) {
  if (count === 1) return siblings.length === 0 ? leaf : null;
  if (siblings.length === 0) return null;
  const split = splitOf(count);
  const [below, sibling] = [siblings.slice(0, -1), siblings.at(-1)];
  const left = index < split;
  const child = left ? climb(leaf, index, split, below) : climb(leaf, index - split, count - split, below);
  return child && (left ? nodeOf(child, sibling) : nodeOf(sibling, child));
}

// ---- receipts, headers and evidence as bytes ---------------------------------------------------------------

const HASH = 32;

const receiptOf = (source, destination, nonce, payload) =>
  Buffer.concat([Buffer.from(`${source}\0${destination}\0${nonce}\0`), payload]);

/** Where a receipt comes from and goes to; null if these bytes are none. */
function route(receipt) {
  const ends = [];
  for (let at = 0; ends.length < 3; at = ends.at(-1) + 1) {
    const end = receipt.indexOf(0, at);
    if (end < 0) return null;
    ends.push(end);
  }
  const text = (from, to) => receipt.subarray(from, to).toString("latin1");
  return { source: text(0, ends[0]), destination: text(ends[0] + 1, ends[1]), payload: receipt.subarray(ends[2] + 1) };
}

const bodyOf = (shard, height, attempt, parent, count, root) => [shard, height, attempt, parent, count, root].join("\n");
const sealOf = (shard, body) => createHmac("sha256", `validators of ${shard}`).update(body, "latin1").digest("hex");

/** The fields of a header, sealed or not; null if these bytes are none. */
function fieldsOf(header) {
  const fields = header.toString("latin1").split("\n");
  if (fields.length !== 7) return null;
  const [shard, , , , count, root, seal] = fields;
  return { shard, body: fields.slice(0, 6).join("\n"), count: Number(count), root, seal };
}

// ---- shards ------------------------------------------------------------------------------------------------

/** What a shard is at one instant. A block keeps a copy, which a reorganisation returns to. */
class State {
  emitted = [];
  trusted = new Set();
  consumed = new Set();
  executed = [];

  copy() {
    const copy = new State();
    copy.emitted = [...this.emitted];
    copy.trusted = new Set(this.trusted);
    copy.consumed = new Set(this.consumed);
    copy.executed = [...this.executed];
    return copy;
  }
}

class Shard {
  state = new State();
  chain = [{ body: GENESIS, state: new State() }];
  final = 0;
  attempt = 0;

  constructor(name) {
    this.name = name;
  }

  emit(destination, payload) {
    const receipt = receiptOf(this.name, destination, this.state.emitted.length, payload);
    this.state.emitted.push(receipt);
    return receipt;
  }

  produce() {
    const { emitted } = this.state;
    const parent = sha256(this.chain.at(-1).body).toString("hex");
    const root = rootOf(emitted.map(leafOf)).toString("hex");
    const body = bodyOf(this.name, this.chain.length, this.attempt, parent, emitted.length, root);
    this.chain.push({ body, state: this.state.copy() });
    return Buffer.from(`${body}\n`, "latin1");
  }

  /** Where a header is on the chain; 0 if it is not. */
  heightOf(header) {
    const body = fieldsOf(header)?.body;
    return Math.max(0, this.chain.findIndex((block, height) => height > 0 && block.body === body));
  }

  finalise(header) {
    const height = this.heightOf(header);
    if (height !== this.final + 1) return refused(height ? "already final, or its parent is not" : "not produced");
    this.final = height;
    const { body } = this.chain[height];
    return Buffer.from(`${body}\n${sealOf(this.name, body)}`, "latin1");
  }

  revert(header) {
    const height = this.heightOf(header);
    if (height <= this.final) return refused("not produced, or already final");
    this.chain.length = height;
    this.state = this.chain.at(-1).state.copy();
    // A block that comes back with the same receipts is still another block.
    this.attempt += 1;
  }

  prove(receipt, header) {
    const height = this.heightOf(header);
    const emitted = height ? this.chain[height].state.emitted : [];
    const index = emitted.findIndex((other) => other.equals(receipt));
    if (index < 0) return refused("not committed to");
    const position = Buffer.alloc(4);
    position.writeUInt32BE(index);
    return Buffer.concat([position, ...pathOf(index, emitted.map(leafOf))]);
  }

  learn(header) {
    const fields = fieldsOf(header);
    if (!fields || !shards.has(fields.shard) || fields.seal !== sealOf(fields.shard, fields.body))
      return refused("untrusted header");
    this.state.trusted.add(fields.body);
  }

  deliver(receipt, header, evidence) {
    const fields = fieldsOf(header);
    // Believed is what was learned, byte by byte: not another header with the same fields.
    if (!fields || !this.state.trusted.has(fields.body) || fields.seal !== sealOf(fields.shard, fields.body))
      return refused("untrusted header");
    const ends = route(receipt);
    if (!ends || !proves(receipt, evidence, fields)) return refused("unproven");
    if (ends.source !== fields.shard) return refused("wrong source");
    if (ends.destination !== this.name) return refused("wrong destination");
    const key = receipt.toString("hex");
    if (this.state.consumed.has(key)) return refused("consumed");
    this.state.consumed.add(key);
    this.state.executed.push({ payload: ends.payload, source: ends.source });
  }
}

/** Whether the root in a header covers a receipt. */
function proves(receipt, evidence, { count, root }) {
  if (evidence.length < 4 || (evidence.length - 4) % HASH) return false;
  const index = evidence.readUInt32BE();
  if (index >= count) return false;
  const siblings = [];
  for (let at = 4; at < evidence.length; at += HASH) siblings.push(evidence.subarray(at, at + HASH));
  return climb(leafOf(receipt), index, count, siblings)?.toString("hex") === root;
}

// ---- the protocol ------------------------------------------------------------------------------------------

let shards = new Map();

serve(
  "javascript",
  {
    open({ topology }) {
      shards = new Map(topology.shards.map((name) => [name, new Shard(name)]));
    },
    close() {
      shards = new Map();
    },
    emit: ({ source, destination, payload }) => shards.get(source).emit(destination, payload),
    produce: ({ shard }) => shards.get(shard).produce(),
    prove({ receipt, header }) {
      const source = shards.get(fieldsOf(header)?.shard);
      return source ? source.prove(receipt, header) : refused("not committed to");
    },
    deliver: ({ delivery: { destination, receipt, header, evidence } }) =>
      shards.get(destination).deliver(receipt, header, evidence),
    executed: ({ shard, since }) => shards.get(shard).state.executed.slice(since),
    learn: ({ shard, header }) => shards.get(shard).learn(header),
    finalise: ({ shard, header }) => shards.get(shard).finalise(header),
    revert: ({ shard, header }) => shards.get(shard).revert(header),
    // Encodings are public: anybody can write a receipt that no shard has emitted.
    forge: ({ source, destination, payload }) => receiptOf(source, destination, 1e9, payload),
  },
  { version: "1" },
);
