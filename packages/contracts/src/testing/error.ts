/** The chain was asked for something that cannot be: the test is wrong, not the contract. */
export class ChainError extends Error {
  override readonly name = 'ChainError'
}
