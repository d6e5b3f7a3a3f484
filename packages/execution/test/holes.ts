import { PRELUDE } from '../src/vm/prelude.ts'

const FROM = PRELUDE.indexOf('  // Buffers that shrink, grow or detach')
const TO = PRELUDE.indexOf('  // Code from strings')

/**
 * The prelude without the part that removes the starting points of the interpreter's known memory errors. A contract on an
 * interpreter with this prelude can read and write all memory, so a test can show what holds when the interpreter's memory safety
 * fails.
 */
export const HOLED_PRELUDE = PRELUDE.slice(0, FROM) + PRELUDE.slice(TO)
if (FROM < 0 || TO < FROM) throw new Error('the prelude has no such part')

/**
 * Guest code: `hole(Type)` returns a typed array over all memory from address 0 (upstream issue 478: the constructor of typed
 * arrays reads new.target's prototype after it has measured the buffer, which may be gone by then).
 */
export const HOLE = `
  const HEAP = 5333088
  /** Address range of a small contract's objects. */
  const END = HEAP + 400000
  const detached = (Type, bytes) => {
    const buffer = new ArrayBuffer(bytes)
    const target = new Proxy(Type, { get(type, key) { if (key === 'prototype') buffer.transfer(0); return type[key] } })
    return Reflect.construct(Type, [buffer, 0, bytes / Type.BYTES_PER_ELEMENT], target)
  }
  const hole = (Type) => {
    const words = detached(Uint32Array, END)
    const bytes = END + 1024
    const array = detached(Type, bytes)
    const count = bytes / Type.BYTES_PER_ELEMENT
    // In the object and elsewhere: zero as the address of the elements, and their number.
    for (let i = HEAP / 4; i < END / 4; i++)
      if (words[i] === 0 && words[i + 1] === count) words[i + 1] = 2 ** 32 / Type.BYTES_PER_ELEMENT - 1
    if (array[0] === undefined || array[(30 << 20) / Type.BYTES_PER_ELEMENT] === undefined) throw new Error('the hole is closed')
    return array
  }
  /** Address of a list [value, 0.5] in the heap. The value must be a double that is in front of no other 0.5. */
  const find = (words, value) => {
    const [low, high] = new Uint32Array(new Float64Array([value]).buffer)
    const boxed = (high + 0x8007fff6) >>> 0
    for (let i = HEAP / 4; i < END / 4; i++)
      if (words[i] === low && words[i + 1] === boxed && words[i + 2] === 0 && words[i + 3] === 0xbfe7fff6) return 4 * i
    throw new Error('not found')
  }
  /** Address of a word that occurs only once. */
  const findWord = (words, value) => {
    for (let i = HEAP / 4; i < END / 4; i++) if (words[i] === value) return 4 * i
    throw new Error('not found')
  }
`
