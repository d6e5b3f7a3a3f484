/** Why a function of the library refuses its arguments: becomes the message of the contract's exception, behind the function's name. The same on every machine. */
export interface LibraryError {
  readonly message: string
}
