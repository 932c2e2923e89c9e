// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// Messages between chains: an outbox that logs them, and an inbox that takes each once, on a multiproof.
///
/// A header is a chain, a height and the Merkle root of all messages of that chain, and is
/// believed because the attester of all chains has signed it. Leaves are hashed twice.
contract Inbox {
    event Sent(bytes message);
    event Executed(uint32 indexed source, bytes payload);

    uint32 public immutable chain;
    address public immutable attester;
    uint64 public sent;
    mapping(bytes32 => bool) public consumed;

    constructor(uint32 chain_, address attester_) {
        chain = chain_;
        attester = attester_;
    }

    function send(uint32 destination, bytes calldata payload) external {
        emit Sent(abi.encodePacked(chain, destination, sent++, payload));
    }

    /// header: source (4 bytes), height (8), root (32), signature (65).
    /// message: source (4), destination (4), number (8), payload.
    function deliver(bytes calldata message, bytes calldata header, bytes calldata evidence) external {
        require(header.length == 109, "malformed header");
        bytes32 signed = ECDSA.toEthSignedMessageHash(keccak256(header[:44]));
        require(ECDSA.recover(signed, header[44:]) == attester, "untrusted header");
        require(message.length >= 16, "malformed message");
        require(bytes4(message[:4]) == bytes4(header[:4]), "wrong source");
        require(uint32(bytes4(message[4:8])) == chain, "wrong destination");
        require(proves(message, bytes32(header[12:44]), evidence), "unproven");
        bytes32 id = keccak256(message);
        require(!consumed[id], "consumed");
        consumed[id] = true;
        emit Executed(uint32(bytes4(message[:4])), message[16:]);
    }

    /// Whether the leaf of a message and others are below a root; its own place among them is filled here.
    function proves(bytes calldata message, bytes32 root, bytes calldata evidence) internal pure returns (bool) {
        (bytes32[] memory proof, bool[] memory flags, bytes32[] memory leaves, uint256 position) =
            abi.decode(evidence, (bytes32[], bool[], bytes32[], uint256));
        leaves[position] = keccak256(bytes.concat(keccak256(message)));
        return MerkleProof.multiProofVerify(proof, flags, root, leaves);
    }
}
