// Shards on the TVM of npm's `@ton/sandbox`, as a process: the contract of `shard.fc`, one account a shard.
//
// `sandbox.py` beside it puts everything that this needs into the folder in which it is started: the packages, as
// `node_modules`, and `contract.json` with the compiled contract, what its exit codes mean, and whether it remembers.
//
// The sandbox is the machine and the accounts; what is here are messages to them, and what they keep. Receipts, headers
// and evidence are those of `system.py`, byte for byte. Nothing reads a clock, dice, the environment or the network.
//
// Source: npm `@ton/sandbox`; TVM whitepaper, sections 3.1 and A.7; `shard.fc`; harness/PROTOCOL.md.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

/** Time stands still. */
const MOMENT = 1_700_000_000;

const require = createRequire(`${process.cwd()}/`);

// The machine times itself and rolls dice, for its log and its libraries. None of it should show; so none of it can.
Date.now = () => MOMENT * 1_000;
// Not assigned: in Node.js 18 it can be read only.
Object.defineProperty(performance, "now", { value: () => 0 });
const NO_DICE = { randomBytes: (size) => Buffer.alloc(size), randomFillSync: (some) => some.fill(0) };
Object.assign(require("node:crypto"), NO_DICE);

const { Address, Cell, Dictionary, beginCell, contractAddress } = require("@ton/core");
const { loadShardAccount, storeShardAccount } = require("@ton/core");
// Not by the front door of the package, behind which are tables for the terminal and a test runner too.
const { Blockchain } = require("@ton/sandbox/dist/blockchain/Blockchain");
const { EmulationError, createShardAccount } = require("@ton/sandbox/dist/blockchain/SmartContract");
const { Executor } = require("@ton/sandbox/dist/executor/Executor");
const { internal } = require("@ton/sandbox/dist/utils/message");

const CONTRACT = JSON.parse(readFileSync("contract.json", "utf8"));
const CODE = Cell.fromBase64(CONTRACT.code);

const bytes = (text) => Buffer.from(text, "hex");

const SEND = 1;
const DELIVER = 2;

/** Paid with each message; nothing here depends on it, as long as it is enough. */
const VALUE = 10n ** 9n;
/** Any account may send and deliver. */
const ANYBODY = new Address(0, Buffer.alloc(32, 0x11));

/** Source, destination and number; what follows is the payload. */
const RECEIPT_BYTES = 16;
/** Source, height, root and signature. */
const HEADER_BYTES = 4 + 8 + 32 + 64;
/** What a cell can hold besides other fields. */
const PAYLOAD_BYTES_MAX = 127;
/** How far the number of a forged receipt is ahead: no run sends as many. */
const FORGED_AHEAD = 1n << 40n;

/** What stands before the 32 bytes of a private key (RFC 8410). */
const ED25519 = bytes("302e020100300506032b657004220420");

const ok = (value = null) => ({ ok: value });
const refused = (reason) => ({ refused: reason });
const NOT_IN_IT = refused("this header does not commit to this receipt");

// ---- receipts and headers ----------------------------------------------------------------------------------

function receiptOf(source, destination, number, payload) {
  const fields = Buffer.alloc(RECEIPT_BYTES);
  fields.writeUInt32BE(source, 0);
  fields.writeUInt32BE(destination, 4);
  fields.writeBigUInt64BE(number, 8);
  return Buffer.concat([fields, payload]);
}

const carrying = (payload) => beginCell().storeBuffer(payload).endCell();
const numberOf = (receipt) => receipt.readBigUInt64BE(8);

/** A receipt as the contract commits to it. Throws where its bytes are none. */
const receiptCell = (receipt) =>
  beginCell()
    .storeUint(receipt.readUInt32BE(0), 32)
    .storeUint(receipt.readUInt32BE(4), 32)
    .storeUint(numberOf(receipt), 64)
    .storeRef(carrying(receipt.subarray(RECEIPT_BYTES)))
    .endCell();

/** The cell that is written so. Throws where these bytes are none, or several. */
function onlyCell(boc) {
  const cells = Cell.fromBoc(boc);
  if (cells.length !== 1) throw new RangeError(`${cells.length} cells`);
  return cells[0];
}

/** The private key of the validators of a shard; its signatures are deterministic. */
function keyOf(name) {
  const said = Buffer.from(name).subarray(-32);
  const seed = Buffer.concat([Buffer.alloc(32 - said.length), said]);
  return createPrivateKey({ key: Buffer.concat([ED25519, seed]), format: "der", type: "pkcs8" });
}

const publicOf = (key) => Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");

// ---- shards ------------------------------------------------------------------------------------------------

/** One machine for all chains: it is compiled once, and keeps nothing from message to message. */
let machine;
let chain;
/** Name -> its number, its address and its key. */
let shards = new Map();
/** Header -> the dictionary that it commits to. */
let roots = new Map();
/** By its number: the chain, the headers, and whose. */
const tokens = [];

const named = () => [...shards.keys()].join();
const nameOf = (number) => [...shards.keys()][number];

async function opened(names) {
  machine ??= await Executor.create();
  // What is not said here would be looked for: in the environment, and in packages that are not ours.
  const settled = { meta: new Map(), uiOptions: { enabled: false } };
  chain = await Blockchain.create({ executor: machine, config: "slim", ...settled });
  chain.now = MOMENT;
  const keys = Dictionary.empty(Dictionary.Keys.Uint(32), Dictionary.Values.Buffer(32));
  const own = names.map(keyOf);
  own.forEach((key, number) => keys.set(number, publicOf(key)));
  [shards, roots] = [new Map(), new Map()];
  for (const [number, name] of names.entries()) {
    const data = beginCell()
      .storeUint(number, 32)
      .storeBit(CONTRACT.remembers)
      .storeUint(0, 64)
      .storeUint(0, 64)
      .storeBit(false)
      .storeDict(keys)
      .storeRef(beginCell().storeBit(false).storeBit(false).endCell())
      .endCell();
    const address = contractAddress(0, { code: CODE, data });
    await chain.setShardAccount(address, createShardAccount({ address, code: CODE, data }));
    shards.set(name, { number, address, key: own[number] });
  }
}

const accountOf = (name) => chain.getContract(shards.get(name).address);

/** All that the contract remembers. */
const dataOf = async (name) => (await accountOf(name)).accountState.state.data;

async function kept(name) {
  const data = (await dataOf(name)).beginParse().skip(32 + 1);
  const [sent, executed] = [data.loadUintBig(64), data.loadUint(64)];
  const outgoing = data.loadMaybeRef();
  data.loadMaybeRef();
  const more = data.loadRef().beginParse();
  more.loadMaybeRef();
  return { sent, executed, outgoing, effects: more.loadMaybeRef() };
}

/** One message to a shard; what is refused has no effect but on its balance. */
async function told(name, body) {
  const account = await accountOf(name);
  let transaction;
  try {
    // To the account itself: of what it sends back to nobody, nothing has to be carried on.
    transaction = await account.receiveMessage(
      internal({ from: ANYBODY, to: account.address, value: VALUE, bounce: true, createdAt: MOMENT, body }),
    );
  } catch (error) {
    if (error instanceof EmulationError) return refused(error.error);
    throw error;
  }
  const { type, exitCode } = transaction.description.computePhase;
  if (type !== "vm") return refused("not computed");
  return exitCode === 0 ? ok() : refused(CONTRACT.reasons[exitCode] ?? `exit code ${exitCode}`);
}

/** A dictionary of outgoing receipts, by their numbers. */
const receiptsOf = (outgoing) => Dictionary.loadDirect(Dictionary.Keys.BigUint(64), Dictionary.Values.Cell(), outgoing);

const EFFECT = {
  parse(value) {
    const source = nameOf(value.loadUint(32));
    const payload = value.loadRef().beginParse();
    return { payload: payload.loadBuffer(payload.remainingBits / 8).toString("hex"), source };
  },
};

// ---- verbs -------------------------------------------------------------------------------------------------

const VERBS = {
  async open({ topology }) {
    await opened(topology.shards);
    return ok();
  },

  close() {
    [shards, roots] = [new Map(), new Map()];
    return ok();
  },

  async emit({ source, destination, payload }) {
    const [carried, to] = [bytes(payload), shards.get(destination).number];
    if (carried.length > PAYLOAD_BYTES_MAX) return refused("the payload does not fit into a cell");
    const { sent } = await kept(source);
    const body = beginCell().storeUint(SEND, 32).storeUint(to, 32).storeRef(carrying(carried)).endCell();
    const said = await told(source, body);
    return "refused" in said ? said : ok(receiptOf(shards.get(source).number, to, sent, carried).toString("hex"));
  },

  async produce({ shard }) {
    const { outgoing } = await kept(shard);
    if (outgoing === null) return refused("nothing was ever sent");
    const { number, key } = shards.get(shard);
    const signed = beginCell().storeUint(number, 32).storeUint(roots.size, 64).storeBuffer(outgoing.hash()).endCell();
    const fields = signed.beginParse().loadBuffer(HEADER_BYTES - 64);
    const header = Buffer.concat([fields, sign(null, signed.hash(), key)]).toString("hex");
    roots.set(header, outgoing);
    return ok(header);
  },

  prove({ receipt, header }) {
    const [claimed, root] = [bytes(receipt), roots.get(header)];
    if (root === undefined || claimed.length < RECEIPT_BYTES) return NOT_IN_IT;
    const receipts = receiptsOf(root);
    const number = numberOf(claimed);
    if (!receipts.get(number)?.equals(receiptCell(claimed))) return NOT_IN_IT;
    return ok(receipts.generateMerkleProof([number]).toBoc({ crc32: false }).toString("hex"));
  },

  async deliver({ delivery: { destination, receipt, header, evidence } }) {
    if (bytes(header).length !== HEADER_BYTES) return refused("no header has this length");
    const body = beginCell().storeUint(DELIVER, 32).storeBuffer(bytes(header));
    try {
      body.storeRef(receiptCell(bytes(receipt))).storeRef(onlyCell(bytes(evidence)));
    } catch (error) {
      // Bytes that are no cells cannot be sent to a contract at all.
      return refused(`no cell: ${error.name}`);
    }
    return told(destination, body.endCell());
  },

  async executed({ shard, since }) {
    const { executed, effects } = await kept(shard);
    if (executed <= since) return ok([]);
    const found = Dictionary.loadDirect(Dictionary.Keys.BigUint(64), EFFECT, effects);
    return ok(Array.from({ length: executed - since }, (_, at) => found.get(BigInt(since + at))));
  },

  /** The account is written to bytes, and read from them. */
  async restart({ shard }) {
    const { address, account } = await accountOf(shard);
    const stored = beginCell().store(storeShardAccount(account)).endCell().toBoc();
    await chain.setShardAccount(address, loadShardAccount(Cell.fromBoc(stored)[0].beginParse()));
    return ok();
  },

  state_root: async ({ shard }) => ok((await dataOf(shard)).hash().toString("hex")),

  /** Encodings are public: anybody can write a receipt that no shard has emitted. */
  forge({ source, destination, payload }) {
    const [from, to] = [shards.get(source).number, shards.get(destination).number];
    const number = FORGED_AHEAD + BigInt(createHash("sha256").update(bytes(payload)).digest().readUInt32BE());
    return ok(receiptOf(from, to, number, bytes(payload)).toString("hex"));
  },

  snapshot: () => ok(tokens.push({ chain: chain.snapshot(), roots: new Map(roots), of: named() }) - 1),

  async restore({ token }) {
    const taken = tokens[token];
    if (taken?.of !== named()) return { error: "unsupported", message: "this snapshot belongs to other shards" };
    await chain.loadFrom(taken.chain);
    roots = new Map(taken.roots);
    return ok();
  },
};

// ---- the protocol ------------------------------------------------------------------------------------------

const HELLO = {
  protocol: 1,
  name: CONTRACT.name,
  version: require("@ton/sandbox/package.json").version,
  stack: "",
  verbs: Object.keys(VERBS),
  batches: true,
};

async function answer({ id, verb, ...given }) {
  if (verb === "hello") return { id, ...ok(HELLO) };
  if (!Object.hasOwn(VERBS, verb)) return { id, error: "unknown-verb", message: String(verb) };
  try {
    return { id, ...(await VERBS[verb](given)) };
  } catch (error) {
    return { id, error: "internal", message: String(error) };
  }
}

async function answers(asked) {
  if (!Array.isArray(asked)) return answer(asked);
  const said = [];
  for (const one of asked) said.push(await answer(one));
  return said;
}

function* lines() {
  const chunk = Buffer.alloc(1 << 16);
  let begun = [];
  for (let size; (size = readSync(0, chunk)) > 0; ) {
    let from = 0;
    for (let end; (end = chunk.subarray(0, size).indexOf(10, from)) >= 0; from = end + 1) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]);
      begun = [];
    }
    begun.push(Buffer.from(chunk.subarray(from, size)));
  }
}

for (const line of lines()) {
  const said = Buffer.from(`${JSON.stringify(await answers(JSON.parse(line)))}\n`);
  for (let at = 0; at < said.length; ) at += writeSync(1, said, at);
}
