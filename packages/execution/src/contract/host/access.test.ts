import { describe, expect, it } from 'vitest'
import { errorOf, frameOf, runFunction } from '../../../test/guest.ts'
import type { GuestValue } from '../../vm/index.ts'
import { ACCESS, type Access } from '../frame.ts'
import { HOST_LIBRARY } from '../library/host-library.ts'
import { CONTRACT_HANDLERS, CONTRACT_HOST, HOST_ENTRIES } from './index.ts'

const ENVIRONMENT = ['sender', 'value', 'self', 'chainId', 'block', 'gasLeft']
const NEEDS: Readonly<Record<Access, readonly string[]>> = {
  pure: ['revert', ...Object.keys(HOST_LIBRARY)],
  read: [...ENVIRONMENT, 'load', 'has', 'staticCall', 'staticCallRaw', 'balanceOf', 'codeAt'],
  write: ['store', 'remove', 'emit', 'call', 'callRaw', 'transfer', 'create', 'create2', 'clone', 'clone2'],
}

const SAMPLE: Readonly<Record<string, GuestValue>> = { string: '', bytes: new Uint8Array(0), bigint: 0n, any: '', value: [] }

/** Calls a function with arguments of the required kinds. */
function callWithSamples(name: string, access: Access) {
  const { parameters } = CONTRACT_HOST.find((row) => row.name === name)!
  const source = ENVIRONMENT.includes(name) ? 'void quoin[name]' : 'quoin[name](...values)'
  const frame = frameOf({ access })
  const outcome = runFunction(`export default { functions: { run: (name, ...values) => { ${source} } } }`, frame, [
    name,
    ...parameters.map((kind) => SAMPLE[kind]!),
  ])
  expect(frame.journal.changes()).toEqual([])
  return outcome.kind === 'throw' ? outcome.error.message : outcome.kind
}

describe('access', () => {
  it('is laid down for every host function', () => {
    expect(Object.keys(CONTRACT_HANDLERS)).toEqual(CONTRACT_HOST.map(({ name }) => name))
    for (const access of ACCESS)
      expect(
        HOST_ENTRIES.filter((entry) => entry.access === access)
          .map(({ name }) => name)
          .sort(),
        access,
      ).toEqual([...NEEDS[access]].sort())
  })

  describe.each(ACCESS)('a frame that grants %s', (granted) => {
    it.each(CONTRACT_HOST.map(({ name }) => name))('%s', (name) => {
      const needed = ACCESS.findIndex((access) => NEEDS[access].includes(name))
      const message = callWithSamples(name, granted)
      if (needed <= ACCESS.indexOf(granted)) expect(message).not.toMatch(/a (pure|view) function/)
      else if (granted === 'pure') expect(message).toBe(`${name}: a pure function cannot read or write state`)
      else expect(message).toBe(`${name}: a view function or a static call cannot write`)
    })
  })

  it('is judged before arguments are looked at, and after their kinds', () => {
    const frame = frameOf({ access: 'read' })
    expect(errorOf("quoin.store('no type', 'key', 1n)", frame)).toMatchObject({
      name: 'Error',
      message: expect.stringContaining('view'),
    })
    expect(errorOf("quoin.store(1n, 'key', 1n)", frame)).toMatchObject({ name: 'TypeError' })
  })
})
