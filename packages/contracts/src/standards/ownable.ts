import { type Address, type ContextOf, part, value, ZERO_ADDRESS } from '../kit/index.ts'

const ownership = part({
  abi: [
    'event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)',
    'event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)',
    'error OwnableUnauthorizedAccount(address account)',
    'error OwnableInvalidOwner(address owner)',
  ],
  state: { owner: value('address'), pendingOwner: value('address') },
})

type Context = ContextOf<typeof ownership>

/** For the constructor. Sets the first owner. */
export function initOwnable(context: Context, owner: Address): void {
  if (owner === ZERO_ADDRESS) throw context.revert.OwnableInvalidOwner(owner)
  setOwner(context, owner)
}

/** Modifier that lets only the owner call a function: `modifiers: { mint: [onlyOwner] }`. */
export function onlyOwner({ state, sender, revert }: ContextOf<typeof ownership, 'view'>): void {
  if (state.owner.get() !== sender) throw revert.OwnableUnauthorizedAccount(sender)
}

/** Changes the owner immediately, without checking the caller. Cancels a pending transfer. */
export function setOwner({ state, emit }: Context, owner: Address): void {
  const previous = state.owner.get()
  state.pendingOwner.remove()
  state.owner.set(owner)
  emit.OwnershipTransferred(previous, owner)
}

/** A contract with one owner and ownership transfer in two steps, as in OpenZeppelin's Ownable2Step. */
export const ownable = part({
  uses: [ownership],
  abi: [
    'function owner() view returns (address)',
    'function pendingOwner() view returns (address)',
    'function transferOwnership(address newOwner)',
    'function acceptOwnership()',
    'function renounceOwnership()',
  ],
  modifiers: { transferOwnership: [onlyOwner], renounceOwnership: [onlyOwner] },
  functions: {
    owner: ({ state }) => state.owner.get(),
    pendingOwner: ({ state }) => state.pendingOwner.get(),
    /** The zero address cancels a pending transfer. */
    transferOwnership({ state, emit }, newOwner) {
      state.pendingOwner.set(newOwner)
      emit.OwnershipTransferStarted(state.owner.get(), newOwner)
    },
    acceptOwnership(context) {
      const { state, sender, revert } = context
      if (state.pendingOwner.get() !== sender) throw revert.OwnableUnauthorizedAccount(sender)
      setOwner(context, sender)
    },
    renounceOwnership: (context) => setOwner(context, ZERO_ADDRESS),
  },
})
