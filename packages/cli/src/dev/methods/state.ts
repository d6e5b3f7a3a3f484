import type { AccountOverride } from '@quoin/execution'
import { address, bigQuantity, data, forms, looseInteger, method, storageKey, storedForm, withForm } from '@quoin/node/rpc'
import { type Address, type Nonce, U32_MAX, type Wei } from '@quoin/protocol'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { orRefuse } from './errors.ts'
import { type DevMethods, DONE, DONE_FORM, underBothNames } from './naming.ts'

/** Maximum balance of one account. It keeps every sum of balances far below 2^256. */
const BALANCE_MAX = 2n ** 240n - 1n

const balance = withForm(
  forms.anyOf(forms.whole, forms.text('0x(0|[1-9a-f][0-9a-f]{0,59})')),
  z
    .union([bigQuantity, z.int().nonnegative().transform(BigInt)])
    .refine((value) => value <= BALANCE_MAX, 'is above 2^240 - 1: sums of balances must stay below 2^256')
    .transform((value) => value as Wei),
)

const nonce = withForm(
  forms.looseUint32,
  looseInteger.refine((value) => value <= U32_MAX, `is above ${U32_MAX}`).transform((value) => value as Nonce),
)

async function change({ dev }: DevBackend, account: Address, override: AccountOverride): Promise<typeof DONE> {
  orRefuse(await dev.change(new Map([[account, override]])))
  return DONE
}

const setBalance = method(
  { summary: 'Sets the balance of an account, in wei.', params: ['address', 'balance'], result: DONE_FORM },
  [address, balance],
  (backend: DevBackend, [account, wei]) => change(backend, account, { balance: wei }),
)
const setNonce = method(
  { summary: 'Sets the nonce of an account.', params: ['address', 'nonce'], result: DONE_FORM },
  [address, nonce],
  (backend: DevBackend, [account, count]) => change(backend, account, { nonce: count }),
)
const setCode = method(
  { summary: 'Sets the code of an account.', params: ['address', 'code'], result: DONE_FORM },
  [address, data],
  (backend: DevBackend, [account, code]) => change(backend, account, { code }),
)
const setStorageAt = method(
  { summary: 'Sets a value of the storage of a contract.', params: ['address', 'key', 'value'], result: DONE_FORM },
  [address, storageKey, data],
  (backend: DevBackend, [account, key, value]) =>
    change(backend, account, { storage: { kind: 'change', entries: [[key, storedForm(value)]] } }),
)

/** Sets an account's state in a separate block. The `evm_` names are Ganache's. */
export const stateMethods: DevMethods = {
  ...underBothNames('setBalance', setBalance),
  ...underBothNames('setNonce', setNonce),
  ...underBothNames('setCode', setCode),
  ...underBothNames('setStorageAt', setStorageAt),
  evm_setAccountBalance: setBalance,
  evm_setAccountNonce: setNonce,
  evm_setAccountCode: setCode,
  evm_setAccountStorageAt: setStorageAt,
}
