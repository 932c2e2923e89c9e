// Your system as a process that shardproof asks. shardproof.mjs does the asking and answering: here are the verbs.
//
// It runs as it is: behind each verb stands `Stub`, a small correct system in memory. Put your own in its place, verb
// by verb from the top, and run the test after each:
//
//     python -m pytest test_my_shard.py
//
// An adapter translates and decides nothing. Receipts, headers and evidence are bytes of yours, in your encoding, each
// a Buffer. A verb may be asynchronous. Two rules hold for all verbs:
//
// * an answer is a function of the requests since `open`: no Date.now(), no Math.random(), no timer that runs on;
// * what your system rejects is `refused(reason)`; what is thrown is an error, and ends the run.

import { createHash } from "node:crypto";

import { refused, serve } from "./shardproof.mjs";

let system;

const verbs = {
  // 1. Set up a new, empty shard for each name in `topology.shards`, thousands of times; leave nothing of before.
  open({ topology }) {
    system = new Stub(topology.shards);
  },

  // 2. Release what `open` took. It may be asked for twice.
  close() {
    system = new Stub([]);
  },

  // 3. As a user of `source`, send `payload` as it is; answer with the receipt that a relayer would read.
  emit({ source, destination, payload }) {
    return system.send(source, destination, payload);
  },

  // 4. Seal a block over all that `shard` has emitted; answer with its header, no two the same.
  produce({ shard }) {
    return system.seal(shard);
  },

  // 5. Ask your nodes for the proof that `header` commits to `receipt`; refuse where it does not.
  prove({ receipt, header }) {
    return system.evidence(receipt, header) ?? refused("not in that block");
  },

  // 6. Present it by the way that is open to everybody: whatever the bytes are, your system decides. What it throws
  //    for bad input becomes a refusal; anything else that it throws is a mistake that you want to see.
  deliver({ delivery: { destination, receipt, header, evidence } }) {
    try {
      system.receive(destination, receipt, header, evidence);
    } catch (error) {
      if (error instanceof Rejected) return refused(error.message);
      throw error;
    }
  },

  // 7. What took effect at `shard` after the first `since` effects: look at the application itself, not at what
  //    `deliver` said. `source` is whom it believes the message to be from; null if it does not say.
  executed({ shard, since }) {
    return system.effects.get(shard).slice(since);
  },

  // And then what your system has besides: each further verb here is a capability.
  // `shardproof doctor --adapter 'cmd:node my_shard.mjs'` says which would open most.
};

// ---- the stub: delete it when no verb uses it any more --------------------------------------------------------

/** The system does not take what it was shown. */
class Rejected extends Error {}

/** Shards in memory that know of each other's blocks, and execute each receipt once. */
class Stub {
  constructor(shards) {
    this.outgoing = new Map(shards.map((shard) => [shard, []]));
    // Header -> the receipts that it commits to.
    this.blocks = new Map();
    this.consumed = new Map(shards.map((shard) => [shard, new Set()]));
    this.effects = new Map(shards.map((shard) => [shard, []]));
  }

  /** The receipt of a message, of which there is only one: it is numbered. */
  send(source, destination, payload) {
    const sent = this.outgoing.get(source);
    const receipt = Buffer.from(JSON.stringify([source, sent.length, destination, payload.toString("hex")]));
    sent.push(receipt);
    return receipt;
  }

  /** The header of a block over all that `shard` has sent. */
  seal(shard) {
    const receipts = [...this.outgoing.get(shard)];
    const digest = createHash("sha256").update(receipts.join("\n")).digest("hex");
    const header = Buffer.from(`${shard} ${this.blocks.size} ${digest}`);
    this.blocks.set(header.toString("latin1"), receipts);
    return header;
  }

  /** Where in its block a receipt stands; null if it does not. */
  evidence(receipt, header) {
    const receipts = this.blocks.get(header.toString("latin1")) ?? [];
    const position = receipts.findIndex((other) => other.equals(receipt));
    return position < 0 ? null : Buffer.from(String(position));
  }

  /** Execute a receipt that is for `shard`, committed to, and new. Throws `Rejected`. */
  receive(shard, receipt, header, evidence) {
    if (!this.evidence(receipt, header)?.equals(evidence)) throw new Rejected("not proved");
    // Whatever is in a block is what `send` wrote.
    const [source, , destination, payload] = JSON.parse(receipt);
    if (destination !== shard) throw new Rejected("for another shard");
    const key = receipt.toString("latin1");
    if (this.consumed.get(shard).has(key)) throw new Rejected("executed before");
    this.consumed.get(shard).add(key);
    this.effects.get(shard).push({ payload: Buffer.from(payload, "hex"), source });
  }
}

// Last, when all of the above is there.
serve("my-shard", verbs);
