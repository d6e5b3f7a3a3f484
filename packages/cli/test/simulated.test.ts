import { createNode, type NodePowers } from '@quoin/node'
import { nobleCrypto as crypto, type Genesis, Wei } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { LogRecorder } from '../../node/test/chain.ts'
import { devGenesis } from '../src/dev/genesis.ts'

const genesis = devGenesis(crypto, { chainId: 31_337 as Genesis['chainId'], timeMs: 1, accounts: [], balance: Wei(1n) })
/** Empty: any use of a power throws. */
const powers = {} as NodePowers

it('is refused by a validator', async () => {
  const options = { powers, genesis, signer: undefined, logger: new LogRecorder(), onHalt: () => {} }
  expect(await createNode(options)).toMatchObject({
    ok: false,
    error: { code: 'simulated', message: expect.stringContaining('this genesis belongs to a development chain (quoin dev)') },
  })
  await expect(createNode({ ...options, genesis: { ...genesis, simulated: false } })).rejects.toThrow(TypeError)
})
