import { type Abi, Address, hexToBytes, ok } from '@quoin/protocol'
import { failed } from '../failure.ts'
import type { NativeContract } from './native.ts'

/*
 * The deterministic deployment proxy (github.com/Arachnid/deterministic-deployment-proxy), with the same address, code and form of
 * calldata as on other chains, because viem's and Foundry's users deploy through it. It has no functions: its calldata is a salt of
 * 32 bytes and a container with the constructor's arguments after it; it answers with the 20 bytes of the new address. Value goes
 * to the new contract, whose `sender` and `deployer` is this contract.
 *
 * Differences: it is not EVM bytecode, so its own nonce begins at 0, and a failure says why, where the original reverts without data.
 */

/** Address of the proxy on every chain that has it. */
export const CREATE2_DEPLOYER_ADDRESS = Address('0x4e59b44847b379578588920ca78fbf26c0b4956c')

/** Runtime code of the proxy on other chains. Tools compare it before they use the address. */
export const CREATE2_DEPLOYER_CODE = hexToBytes(
  '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3',
)

export const CREATE2_DEPLOYER_ABI: Abi = [{ type: 'fallback', stateMutability: 'payable' }]

const SALT_BYTES = 32

/** Deploys contracts for transactions at addresses that follow from a salt and the code. */
export const CREATE2_DEPLOYER: NativeContract = {
  name: 'create2Deployer',
  address: CREATE2_DEPLOYER_ADDRESS,
  abi: CREATE2_DEPLOYER_ABI,
  code: CREATE2_DEPLOYER_CODE,
  actions: {},
  fallback({ machine, meter, isStatic, value, data, host }) {
    if (isStatic) return failed('a static call cannot create a contract')
    if (data.length < SALT_BYTES) return failed(`the calldata has ${data.length} bytes, too few for a salt of ${SALT_BYTES}`)
    const sender = { address: CREATE2_DEPLOYER_ADDRESS, gasLeft: meter.left, isStatic }
    const form = { salt: new Uint8Array(data.subarray(0, SALT_BYTES)) }
    const creation = { to: undefined, value, data: data.subarray(SALT_BYTES), gas: undefined, isStatic, form }
    const outcome = machine.send(sender, creation, host)
    meter.count(outcome.gasUsed)
    if (outcome.ok) return ok(hexToBytes(outcome.contractAddress!))
    const { reason, error, trace, detail } = outcome
    return { ok: false, error: { reason, data: outcome.data, error, trace, detail } }
  },
}
