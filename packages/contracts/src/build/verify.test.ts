import { decodeContainer, encodeContainer, unwrap } from '@quoin/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildFiles, built } from '../../test/build/project.ts'
import { ANSWER } from '../../test/build/sources.ts'
import { type BuiltContract, verifyCode } from './index.ts'

describe('a deployed contract', () => {
  let contract: BuiltContract
  beforeAll(async () => {
    contract = built(await buildFiles(ANSWER('1n')))
  })

  const changed = (change: object) => encodeContainer({ ...unwrap(decodeContainer(contract.code)).container, ...change })

  it('matches its sources', () => {
    expect(verifyCode(contract.code, contract)).toEqual({ ok: true, value: undefined })
  })

  it.each([
    ['source', { source: 'export default {}' }],
    ['abi', { abi: [] }],
    ['upgradeAuthority', { upgradeAuthority: { kind: 'deployer' } }],
    ['reentrantSelectors', { reentrantSelectors: [1] }],
    ['sourceMap', { sourceMap: new Uint8Array([1]) }],
  ])('that differs in its %s is reported', (part, change) => {
    const result = verifyCode(changed(change), contract)
    expect(result).toMatchObject({ ok: false, error: { kind: 'differs', differences: [{ part }] } })
  })

  it('of another compiler: which one to install', () => {
    const result = verifyCode(changed({ compiler: 'quoin 0.0.9', source: 'x' }), contract)
    expect(result.ok ? '' : result.error.message).toMatch(/another version\. Install that version \(quoin 0\.0\.9\)/)
    expect(result).toMatchObject({ error: { differences: [{ part: 'compiler' }, { part: 'source', deployed: 'x' }] } })
  })

  it('may have another source map if that does not matter', () => {
    const code = changed({ sourceMap: new Uint8Array([1]) })
    expect(verifyCode(code, contract, { ignoreSourceMap: true }).ok).toBe(true)
  })

  it('is something else', () => {
    expect(verifyCode(new Uint8Array(0), contract)).toMatchObject({ error: { kind: 'no-code' } })
    expect(verifyCode(new Uint8Array([0x60, 0x80]), contract)).toMatchObject({ error: { kind: 'no-container' } })
    expect(verifyCode(Uint8Array.of(...contract.code, 0), contract)).toMatchObject({ error: { kind: 'no-container' } })
  })
})
