/**
 * Why a library function refused its arguments. The message goes into the contract's exception, after the function's name. It is
 * the same on every machine.
 */
export interface LibraryError {
  readonly message: string
}
