import type { AbiValue } from '@quoin/execution/contract'
import { ZERO_ADDRESS } from '@quoin/protocol'
import { Chain } from './chain.ts'
import { textIn } from './chain-contract.ts'
import { listOf, type Shown } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { parseAddress, parseWhole } from './words.ts'

export async function showGovernance(options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const [{ address, isContract }, [offer, list]] = await Promise.all([
    chain.governor(),
    chain.views([['governorOffer'], ['participants']]),
  ])
  const to = textIn(offer!['to']).toLowerCase()
  const participants = (list!['participants'] as readonly AbiValue[]).map((one) => textIn(one).toLowerCase())
  const shown: Readonly<Record<string, Shown>> = {
    governor: address,
    kind: address === ZERO_ADDRESS ? 'nobody' : isContract ? 'contract' : 'account',
    ...(to === ZERO_ADDRESS ? {} : { offeredTo: to, offeredUntilBlock: Number(offer!['lastHeight']) }),
    participants,
  }
  print(options.json ? JSON.stringify(shown, null, 2) : listOf(shown))
}

export interface OfferOptions extends WriteOptions {
  readonly blocks: number
  readonly untilBlock?: string
}

/** Offers governance to an address, which must accept it in time. */
export async function offerGovernance(to: string, options: OfferOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const last =
    options.untilBlock === undefined
      ? BigInt((await chain.height()) + options.blocks)
      : parseWhole(options.untilBlock, '--until-block', 1n, BigInt(Number.MAX_SAFE_INTEGER))
  await submit(chain, { name: 'offerGovernor', values: [parseAddress(to, 'address'), last] }, options, print)
}

export const acceptGovernance = (options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'acceptGovernor', values: [] }, options, print)

export const setParticipants = (addresses: readonly string[], options: WriteOptions, print: Print): Promise<void> =>
  submit(
    new Chain(options.rpc),
    { name: 'setParticipants', values: [addresses.map((one) => parseAddress(one, 'participant'))] },
    options,
    print,
  )
