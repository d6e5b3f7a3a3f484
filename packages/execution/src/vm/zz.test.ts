import { it } from 'vitest'
import { engineBinary, wasmPower } from '../../test/engine.ts'
import { boot } from './boot.ts'
import { createEngine } from './engine.ts'
import { measureLayout } from './image.ts'
import { Instance } from './instance.ts'
import { readValue } from './read-value.ts'
import { Toll } from './toll.ts'
import { writeValue } from './write-value.ts'

it('x', () => {
  const wasm = wasmPower(),
    module = wasm.compile(engineBinary())
  const layout = measureLayout(new Instance(wasm, module))
  const instance = new Instance(wasm, module)
  instance.quickjs.initialise()
  boot(instance, layout, [], '() => () => []')
  const cases: Record<string, any> = {
    'array 100 bools': Array.from({ length: 100 }, () => true),
    'array 100 ints': Array.from({ length: 100 }, (_, i) => i),
    'array 100 floats': Array.from({ length: 100 }, (_, i) => i + 0.5),
    'array 100 short bigints': Array.from({ length: 100 }, (_, i) => BigInt(i)),
    'array 100 u256': Array.from({ length: 100 }, (_, i) => 2n ** 255n + BigInt(i)),
    'array 100 u64': Array.from({ length: 100 }, (_, i) => 2n ** 63n + BigInt(i)),
    'array 100 addresses': Array.from({ length: 100 }, () => '0x' + '12'.repeat(20)),
    'array 100 empty strings': Array.from({ length: 100 }, () => ''),
    'array 100 wide strings': Array.from({ length: 100 }, () => 'ሴ'),
    'array 100 bytes32': Array.from({ length: 100 }, () => new Uint8Array(32)),
    'array 100 empty bytes': Array.from({ length: 100 }, () => new Uint8Array(0)),
    'array 100 empty arrays': Array.from({ length: 100 }, () => []),
    'array 100 arrays of 1': Array.from({ length: 100 }, () => [1]),
    'array 100 empty objects': Array.from({ length: 100 }, () => ({})),
    'array 100 objects of 1': Array.from({ length: 100 }, () => ({ a: 1 })),
    'array 100 objects of 4': Array.from({ length: 100 }, () => ({ a: 1n, b: 2n, c: true, d: 'x' })),
    'object of 100': Object.fromEntries(Array.from({ length: 100 }, (_, i) => ['k' + i, i])),
    'object of 100 ints': Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, i])),
    'nested 40': (() => {
      let v: any = 1
      for (let i = 0; i < 40; i++) v = [v]
      return v
    })(),
    'text 10000': ['x'.repeat(10000)],
    'wide 10000': ['ሴ'.repeat(10000)],
    'bytes 10000': [new Uint8Array(10000)],
  }
  const cpu = (f: () => void, n: number) => {
    for (let i = 0; i < 3000; i++) f()
    let best = 1e9
    for (let r = 0; r < 5; r++) {
      const b = process.cpuUsage()
      for (let i = 0; i < n; i++) f()
      const u = process.cpuUsage(b)
      best = Math.min(best, (u.user + u.system) / n)
    }
    return best
  }
  const rows: string[] = []
  for (const [name, v] of Object.entries(cases)) {
    instance.gasLeft = 2 ** 52
    const gasOf = (f: (t: Toll) => void) => {
      const b = instance.gasLeft
      const t = new Toll(instance)
      f(t)
      t.collect()
      return b - instance.gasLeft
    }
    let p = 0
    const wgas = gasOf((t) => {
      p = writeValue(instance, v, t)
    })
    const rgas = gasOf((t) => {
      readValue(instance, p, t)
    })
    const hostW = gasOf((t) => {
      const free = Object.assign(Object.create(t), { add() {} })
      void free
    })
    const w = cpu(() => {
      const t = new Toll(instance)
      const q = writeValue(instance, v, t)
      instance.quickjs.freeValue(instance.context, q)
    }, 500)
    const r = cpu(() => {
      readValue(instance, p, new Toll(instance))
    }, 500)
    rows.push(
      `${name.padEnd(28)} write us ${w.toFixed(2).padStart(8)} gas ${String(wgas).padStart(8)} gas/us ${(wgas / w).toFixed(0).padStart(6)}   read us ${r.toFixed(2).padStart(8)} gas ${String(rgas).padStart(7)} gas/us ${(rgas / r).toFixed(0).padStart(6)}`,
    )
  }
  console.log(rows.join('\n'))
}, 60000)
