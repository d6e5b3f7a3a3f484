import { address, data, forms, invalidParams, method, RpcError, withForm } from '@quoin/node/rpc'
import { type Address, bytesToHex, concatBytes, type Hex, hexToBytes, utf8ToBytes } from '@quoin/protocol'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { type DevMethods, DONE, DONE_FORM, underBothNames } from './naming.ts'

const listAccounts = method(
  { summary: 'The accounts that can send without a signature of the client.', params: [], result: forms.list(forms.address) },
  [],
  ({ accounts }: DevBackend) => accounts.list,
)

const RECOVERY_ID = 27

/** Signs with an account's key; returns r ‖ s ‖ v. */
function sign({ accounts }: DevBackend, account: Address, digest: Uint8Array): Hex {
  if (!accounts.hasKey(account))
    throw new RpcError('no-key', `the node has no key for ${account}: use an account that eth_accounts lists`)
  const { signature, yParity } = accounts.sign(account, digest)
  return bytesToHex(concatBytes(signature, Uint8Array.of(RECOVERY_ID + yParity)))
}

/** EIP-191, version 0x45. */
function signMessage(backend: DevBackend, account: Address, message: Uint8Array): Hex {
  const head = utf8ToBytes(`\x19Ethereum Signed Message:\n${message.length}`)
  return sign(backend, account, backend.crypto.keccak256(concatBytes(head, message)))
}

const TYPED_DATA = forms.open({
  types: forms.open({}),
  primaryType: forms.string,
  domain: forms.open({}),
  message: forms.open({}),
})

/** Typed data as an object, or as JSON text. */
const typedData = withForm(
  TYPED_DATA,
  z.unknown().transform((given, context): unknown => {
    if (typeof given !== 'string') return given
    try {
      return JSON.parse(given)
    } catch (failure) {
      context.addIssue({ code: 'custom', message: `is not JSON: ${(failure as Error).message}` })
      return z.NEVER
    }
  }),
)

/** EIP-712. The library is loaded at the first signature. */
async function signTypedData(backend: DevBackend, account: Address, document: unknown): Promise<Hex> {
  const { getSignPayload } = await import('#ox/TypedData')
  let digest: Uint8Array
  try {
    digest = hexToBytes(getSignPayload(document as Parameters<typeof getSignPayload>[0]))
  } catch (failure) {
    throw invalidParams(
      `invalid param 1: is not EIP-712 typed data: ${failure instanceof Error ? failure.message : String(failure)}`,
    )
  }
  return sign(backend, account, digest)
}

const impersonate = method(
  { summary: 'Lets an account send without a signature.', params: ['address'], result: DONE_FORM },
  [address],
  ({ accounts }: DevBackend, [account]) => {
    accounts.impersonate(account)
    return DONE
  },
)

const stopImpersonating = method(
  { summary: 'Ends the impersonation of an account.', params: ['address'], result: DONE_FORM },
  [address],
  ({ accounts }: DevBackend, [account]) => {
    accounts.stopImpersonating(account)
    return DONE
  },
)

const autoImpersonate = method(
  { summary: 'Whether every account is impersonated.', params: ['enabled'], result: DONE_FORM },
  [z.boolean()],
  ({ accounts }: DevBackend, [on]) => {
    accounts.impersonateEverybody(on)
    return DONE
  },
)

/** Accounts and signatures. */
export const accountMethods: DevMethods = {
  eth_accounts: listAccounts,
  eth_requestAccounts: listAccounts,
  eth_sign: method(
    { summary: 'The signature of a message (EIP-191).', params: ['address', 'message'], result: forms.bytes },
    [address, data],
    (backend: DevBackend, [account, message]) => signMessage(backend, account, message),
  ),
  personal_sign: method(
    { summary: 'The signature of a message (EIP-191).', params: ['message', 'address'], result: forms.bytes },
    [data, address],
    (backend: DevBackend, [message, account]) => signMessage(backend, account, message),
  ),
  eth_signTypedData_v4: method(
    { summary: 'The signature of typed data (EIP-712).', params: ['address', 'typedData'], result: forms.bytes },
    [address, typedData],
    (backend: DevBackend, [account, document]) => signTypedData(backend, account, document),
  ),
  ...underBothNames('impersonateAccount', impersonate),
  ...underBothNames('stopImpersonatingAccount', stopImpersonating),
  anvil_autoImpersonateAccount: autoImpersonate,
}
