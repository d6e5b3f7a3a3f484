import { parseRecord, SYSTEM_ADDRESS, SYSTEM_RECORDS } from '@quoin/execution'
import type { AbiValue } from '@quoin/execution/contract'
import { CommandError } from '@quoin/node/process'
import { bytesToHex, CUSTOM_ROLE_BIT_MAX, CUSTOM_ROLE_BIT_MIN, parseHex, type SigningDomain } from '@quoin/protocol'
import { JsonRpc } from '../json-rpc.ts'
import { decodeAnswer, encodeCall, type Named, textIn } from './chain-contract.ts'
import type { RoleNames } from './words.ts'

/** Pages of a list that are read at most: more entries than any consortium has. */
const PAGES_MAX = 1_000

/** One entry of a list, as a node answers it. */
export type Listed = Readonly<Record<string, unknown>>

/** The chain contract of one node's chain, at its head. */
export class Chain {
  readonly rpc: JsonRpc
  #roleNames: Promise<RoleNames> | undefined

  constructor(url: string) {
    this.rpc = new JsonRpc(url)
  }

  /** Calls a view. */
  async view(name: string, ...values: readonly AbiValue[]): Promise<Named> {
    const [answer] = await this.views([[name, ...values]])
    return answer!
  }

  /** Calls several views, in one request. */
  async views(calls: readonly (readonly [name: string, ...values: AbiValue[]])[]): Promise<readonly Named[]> {
    const requests = calls.map(
      ([name, ...values]) => ['eth_call', [{ to: SYSTEM_ADDRESS, data: encodeCall({ name, values }) }, 'latest']] as const,
    )
    const answers = await this.rpc.batch(requests)
    return calls.map(([name], i) => {
      const decoded = decodeAnswer(name, answers[i])
      if (decoded !== undefined) return decoded
      throw new CommandError(`${this.rpc.url} has no chain contract that this version of quoin knows: it does not answer ${name}`)
    })
  }

  /** Names of the consortium's own roles. Asked once. */
  roleNames(): Promise<RoleNames> {
    this.#roleNames ??= this.#readRoleNames()
    return this.#roleNames
  }

  async #readRoleNames(): Promise<RoleNames> {
    const bits = Array.from({ length: CUSTOM_ROLE_BIT_MAX - CUSTOM_ROLE_BIT_MIN + 1 }, (_, i) => CUSTOM_ROLE_BIT_MIN + i)
    const names = await this.views(bits.map((bit) => ['roleName', BigInt(bit)]))
    return new Map(bits.map((bit, i) => [bit, textIn(names[i]!['name'])] as const).filter(([, name]) => name !== ''))
  }

  /** The governor's address in lower case, and whether it is a contract. */
  async governor(): Promise<{ readonly address: string; readonly isContract: boolean }> {
    const { governor } = await this.view('governor')
    const address = textIn(governor).toLowerCase()
    const code = await this.rpc.call('eth_getCode', [address, 'latest'])
    return { address, isContract: typeof code === 'string' && code.length > 2 }
  }

  async height(): Promise<number> {
    return Number(await this.rpc.call('eth_blockNumber', []))
  }

  /** To which chain, and to which restart of it, signatures of validators are bound. The chain contract has no view of it. */
  async domain(): Promise<SigningDomain> {
    const { domain } = SYSTEM_RECORDS
    const answer = await this.rpc.call('eth_getStorageAt', [SYSTEM_ADDRESS, bytesToHex(domain.key), 'latest'])
    const read = parseRecord(domain, typeof answer === 'string' ? parseHex(answer) : undefined)
    if (read.ok) return read.value
    throw new CommandError(`the chain does not know its signing domain yet: wait for its first block (${read.error})`)
  }

  /** All entries of a list, page by page. */
  async list(method: 'quoin_organisations' | 'quoin_accounts' | 'quoin_nodes'): Promise<readonly Listed[]> {
    const all: Listed[] = []
    let after: unknown
    for (let page = 0; page < PAGES_MAX; page++) {
      const answer = (await this.rpc.call(method, [after === undefined ? {} : { after }])) as {
        readonly entries?: readonly Listed[]
        readonly next?: unknown
      } | null
      if (!Array.isArray(answer?.entries)) throw new CommandError(`${this.rpc.url} did not answer ${method} with a list`)
      all.push(...(answer.entries as readonly Listed[]))
      if (typeof answer.next !== 'string') return all
      after = answer.next
    }
    throw new CommandError(`${this.rpc.url} answers ${method} without end`)
  }

  async validators(): Promise<readonly Listed[]> {
    const answer = await this.rpc.call('quoin_validators', [])
    if (Array.isArray(answer)) return answer as readonly Listed[]
    throw new CommandError(`${this.rpc.url} did not answer quoin_validators with a list`)
  }
}
