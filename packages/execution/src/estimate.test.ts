import type { Gas } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { addressOf, transfer } from '../test/transactions.ts'
import { type CallState, estimateTransfer } from './estimate.ts'

const state: CallState = { senderBalance: 10n, recipientHasCode: false, parameters: { transactionGasMax: 25_000 as Gas } }
const call = (data: number[] = [], value = 10n) => {
  const { to } = transfer(addressOf(1), 0, addressOf(2), value)
  return { to, value: value as never, data: Uint8Array.from(data), accessList: [] }
}

describe('estimateTransfer', () => {
  it('is the gas that the transaction will use', () => {
    expect(estimateTransfer(call(), state)).toEqual({ ok: true, value: 21_000 })
    expect(estimateTransfer(call([0, 1]), state)).toEqual({ ok: true, value: 21_020 })
  })

  it('refuses what could not run', () => {
    expect(estimateTransfer(call([], 11n), state)).toMatchObject({ ok: false, error: { code: 'insufficient-funds' } })
    expect(estimateTransfer(call([], 11n), { ...state, senderBalance: undefined }).ok).toBe(true)
    expect(estimateTransfer(call(Array(300).fill(1)), state)).toMatchObject({ ok: false, error: { code: 'gas-limit-too-high' } })
  })

  it('reverts where a contract would have to run', () => {
    const reverted = { ok: false, error: { code: 'execution-reverted', message: expect.stringMatching(/^execution reverted: /) } }
    expect(estimateTransfer({ ...call(), to: undefined }, state)).toMatchObject(reverted)
    expect(estimateTransfer(call(), { ...state, recipientHasCode: true })).toMatchObject(reverted)
  })
})
