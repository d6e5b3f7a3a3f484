/** A mistake of the test, not of the contract: the test asked for something impossible. */
export class ChainError extends Error {
  override readonly name = 'ChainError'
}
