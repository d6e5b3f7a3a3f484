import type { Genesis } from '@quoin/protocol'
import { createLibp2pTransport, type Libp2pTransport } from '../../../packages/node/src/network/index.ts'
import type { PeerId, TransportHandlers } from '../../../packages/node/src/powers.ts'
import { readGenesisFile } from '../../../packages/node/src/validator/genesis-file.ts'
import type { Stage } from '../attacks/attack.ts'
import { identityKey, identityName, networkIdOf } from './identities.ts'

const quiet = { debug() {}, info() {}, warn() {} }

/** A listed node without a vote that behaves like the released node, as far as its handlers allow. */
export interface Observer {
  readonly transport: Libp2pTransport
  readonly genesis: Genesis
}

/** Joins the network with the identity of an attack; resolves when every running validator has accepted it. */
export async function joinAsObserver(
  { prepared, crypto, round, targets, tally }: Stage,
  attack: string,
  handlers: Partial<TransportHandlers> = {},
): Promise<Observer> {
  const genesis = await readGenesisFile(prepared.genesisPath)
  const key = await identityKey(crypto, identityName(attack, round))
  const transport = await createLibp2pTransport({ key, listen: [], networkId: networkIdOf(crypto, genesis), logger: quiet })
  const up = new Set<PeerId>()
  let isComplete = (): void => {}
  const complete = new Promise<void>((resolve) => {
    isComplete = resolve
  })
  transport.listen({
    onMessage: () => {},
    onGossip: () => Promise.resolve('accept'),
    onRequest: () => Promise.resolve(undefined),
    ...handlers,
    onPeer: (peer, state) => {
      if (state === 'up') up.add(peer)
      else tally.add('session ended')
      if (up.size >= targets.length) isComplete()
      handlers.onPeer?.(peer, state)
    },
  })
  transport.admit(genesis.nodes)
  await transport.start()
  await complete
  return { transport, genesis }
}
