// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Token } from './Token.sol';

/// Makes many transfers in a row. The time of many minus that of none is the EVM's own cost of transfers.
contract Transfers {
    Token immutable token;

    constructor() {
        token = new Token('Token', 'TOK', address(this), 1e30);
    }

    function run(uint256 count) external {
        for (uint256 i = 1; i <= count; i++) token.transfer(address(uint160(i << 96)), 1e18 + i);
    }
}
