// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A message contract as many projects have one: what is sent is logged, what comes is proven and executed once.
///
/// A header says of a chain how many messages it has sent, and the root of their Merkle tree of depth 32; an
/// attester signs it. Nothing here comes from another project.
contract Outpost {
    event Sent(bytes message);
    event Executed(uint32 indexed source, bytes payload);

    error Malformed(string what);
    error NotAttested(address signer);
    error WrongSource(uint32 source);
    error WrongDestination(uint32 destination);
    error NotProven(bytes32 root);
    error AlreadyExecuted(bytes32 id);

    uint32 public immutable chain;
    address public immutable attester;
    uint64 public sent;
    mapping(bytes32 => bool) public executed;

    constructor(uint32 chain_, address attester_) {
        chain = chain_;
        attester = attester_;
    }

    function send(uint32 destination, bytes calldata payload) external {
        emit Sent(abi.encodePacked(chain, destination, sent++, payload));
    }

    /// message: source (4 bytes), destination (4), number (8), payload.
    /// header: source (4), count (4), root (32), r (32), s (32), v (1).
    /// evidence: position (4), siblings from the leaf up (32 times 32).
    function deliver(bytes calldata message, bytes calldata header, bytes calldata evidence) external {
        if (header.length != 105) revert Malformed("header");
        address signer = ecrecover(
            keccak256(header[:40]), uint8(header[104]), bytes32(header[40:72]), bytes32(header[72:104])
        );
        if (signer == address(0) || signer != attester) revert NotAttested(signer);
        if (message.length < 16) revert Malformed("message");
        uint32 source = uint32(bytes4(message[:4]));
        if (source != uint32(bytes4(header[:4]))) revert WrongSource(source);
        uint32 destination = uint32(bytes4(message[4:8]));
        if (destination != chain) revert WrongDestination(destination);
        bytes32 root = climbed(keccak256(abi.encodePacked(bytes1(0), message)), evidence);
        if (root != bytes32(header[8:40])) revert NotProven(root);
        record(keccak256(message));
        emit Executed(source, message[16:]);
    }

    function record(bytes32 id) internal virtual {
        if (executed[id]) revert AlreadyExecuted(id);
        executed[id] = true;
    }

    function climbed(bytes32 node, bytes calldata evidence) internal pure returns (bytes32) {
        if (evidence.length != 4 + 32 * 32) revert Malformed("evidence");
        uint32 position = uint32(bytes4(evidence[:4]));
        for (uint256 height = 0; height < 32; height++) {
            bytes32 sibling = bytes32(evidence[4 + 32 * height:36 + 32 * height]);
            node = (position >> height) & 1 == 0
                ? keccak256(abi.encodePacked(node, sibling))
                : keccak256(abi.encodePacked(sibling, node));
        }
        return node;
    }
}

/// The same with a mistake: what was executed is never looked up.
contract ForgetfulOutpost is Outpost {
    constructor(uint32 chain_, address attester_) Outpost(chain_, attester_) {}

    function record(bytes32 id) internal override {
        executed[id] = true;
    }
}
