// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Forge's cheatcodes that the test uses.
interface Vm {
    function prank(address sender) external;
    function expectEmit() external;
    function expectRevert(bytes calldata data) external;
    function assertEq(uint256 left, uint256 right) external pure;
    function assertEq(string calldata left, string calldata right) external pure;
}

/// Replaces forge-std's contract of the same name, which is not on npm.
abstract contract Test {
    Vm constant vm = Vm(address(uint160(uint256(keccak256('hevm cheat code')))));
}
