// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Token } from '../src/Token.sol';
import { Test } from './Test.sol';

contract TokenTest is Test {
    address constant alice = address(0xa1);
    address constant bob = address(0xb0);
    address constant carol = address(0xca);
    uint256 constant UNLIMITED = type(uint256).max;

    Token token;

    function setUp() public {
        token = new Token('Token', 'TOK', alice, 1000);
    }

    function test_GivesTheSupplyToItsHolderAndSaysSo() public {
        vm.expectEmit();
        emit Token.Transfer(address(0), alice, 1000);
        token = new Token('Token', 'TOK', alice, 1000);
        vm.assertEq(token.totalSupply(), 1000);
        vm.assertEq(token.balanceOf(alice), 1000);
    }

    function test_HasANameASymbolAndDecimals() public view {
        vm.assertEq(token.name(), 'Token');
        vm.assertEq(token.symbol(), 'TOK');
        vm.assertEq(token.decimals(), 18);
    }

    function test_NeedsAHolder() public {
        vm.expectRevert(abi.encodeWithSelector(Token.ERC20InvalidReceiver.selector, address(0)));
        new Token('Token', 'TOK', address(0), 1000);
    }

    function test_MovesWhatIsOwnedAndSaysSo() public {
        vm.expectEmit();
        emit Token.Transfer(alice, bob, 5);
        vm.prank(alice);
        token.transfer(bob, 5);
        vm.assertEq(token.balanceOf(alice), 995);
        vm.assertEq(token.balanceOf(bob), 5);
    }

    function test_DoesNotMoveWhatIsNotOwned() public {
        vm.expectRevert(abi.encodeWithSelector(Token.ERC20InsufficientBalance.selector, bob, 0, 1));
        vm.prank(bob);
        token.transfer(alice, 1);
    }

    function test_DoesNotMoveToNobody() public {
        vm.expectRevert(abi.encodeWithSelector(Token.ERC20InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        token.transfer(address(0), 1);
    }

    function test_LetsSomebodySpendAndSaysSo() public {
        vm.expectEmit();
        emit Token.Approval(alice, bob, 10);
        vm.prank(alice);
        token.approve(bob, 10);
        vm.assertEq(token.allowance(alice, bob), 10);
        vm.expectRevert(abi.encodeWithSelector(Token.ERC20InvalidSpender.selector, address(0)));
        vm.prank(alice);
        token.approve(address(0), 1);
    }

    function test_UsesUpWhatMayBeSpent() public {
        vm.prank(alice);
        token.approve(bob, 10);
        vm.expectEmit();
        emit Token.Transfer(alice, carol, 7);
        vm.prank(bob);
        token.transferFrom(alice, carol, 7);
        vm.assertEq(token.allowance(alice, bob), 3);
        vm.assertEq(token.balanceOf(carol), 7);
    }

    function test_LetsNobodySpendMore() public {
        vm.prank(alice);
        token.approve(bob, 10);
        vm.expectRevert(abi.encodeWithSelector(Token.ERC20InsufficientAllowance.selector, bob, 10, 11));
        vm.prank(bob);
        token.transferFrom(alice, carol, 11);
    }

    function test_DoesNotUseUpAnUnlimitedAllowance() public {
        vm.prank(alice);
        token.approve(bob, UNLIMITED);
        vm.prank(bob);
        token.transferFrom(alice, carol, 7);
        vm.assertEq(token.allowance(alice, bob), UNLIMITED);
    }
}
