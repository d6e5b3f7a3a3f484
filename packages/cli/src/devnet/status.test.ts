import { describe, expect, it } from 'vitest'
import { parseMetrics, statusLine } from './status.ts'

const metrics = (height: number, stalled: 0 | 1) =>
  parseMetrics(`quoin_chain_height ${height}\nquoin_network_peers 3\nquoin_warning{reason="stalled"} ${stalled}\n`)

describe('the status line', () => {
  it('shows a stalled chain if any validator reports it', () => {
    const moving = [metrics(7, 0), metrics(7, 0)]
    expect(statusLine(moving, moving, 1_000)).toMatch(/^height 7 {3}finality/)
    const standing = [metrics(7, 0), metrics(7, 1), undefined]
    expect(statusLine(standing, standing, 1_000)).toMatch(/^height 7, stalled {3}finality .* {3}validators 2\/3/)
  })
})
