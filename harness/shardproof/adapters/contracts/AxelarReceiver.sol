// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface IGateway {
    function validateContractCall(bytes32, string calldata, string calldata, bytes32) external returns (bool);

    function validateContractCallAndMint(
        bytes32,
        string calldata,
        string calldata,
        bytes32,
        string calldata,
        uint256
    ) external returns (bool);

    function tokenAddresses(string calldata) external view returns (address);
}

interface IToken {
    function transfer(address, uint256) external returns (bool);
}

/// What an Axelar gateway calls: it takes what the gateway has approved, and passes tokens on to one user.
contract AxelarReceiver {
    event Received(bytes32 indexed commandId, string sourceChain, bytes payload);

    error NotApprovedByGateway();

    IGateway public immutable gateway;
    address public immutable user;

    constructor(IGateway gateway_, address user_) {
        gateway = gateway_;
        user = user_;
    }

    function execute(
        bytes32 commandId,
        string calldata sourceChain,
        string calldata sourceAddress,
        bytes calldata payload
    ) external {
        if (!gateway.validateContractCall(commandId, sourceChain, sourceAddress, keccak256(payload)))
            revert NotApprovedByGateway();
        emit Received(commandId, sourceChain, payload);
    }

    function executeWithToken(
        bytes32 commandId,
        string calldata sourceChain,
        string calldata sourceAddress,
        bytes calldata payload,
        string calldata symbol,
        uint256 amount
    ) external {
        if (
            !gateway.validateContractCallAndMint(
                commandId,
                sourceChain,
                sourceAddress,
                keccak256(payload),
                symbol,
                amount
            )
        ) revert NotApprovedByGateway();
        IToken(gateway.tokenAddresses(symbol)).transfer(user, amount);
        emit Received(commandId, sourceChain, payload);
    }
}
