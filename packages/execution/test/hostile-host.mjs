/**
 * The host functions for hostile scripts, and how the scripts are run: for the test on src, and for programs on dist.
 *
 * @typedef {typeof import('../src/vm/host-function.ts').HostRefusal} HostRefusal
 * @typedef {import('../src/vm/interpreter.ts').Interpreter} Interpreter
 */

/** Gas limits for the evaluation of a script and for its call. */
export const HOSTILE_GAS_LIMIT = 40_000_000

/** @type {import('../src/vm/host-function.ts').HostTable} one function for every kind of argument */
export const HOSTILE_HOST = [
  { name: 'get', gas: 500, parameters: ['string'] },
  { name: 'put', gas: 500, parameters: ['string', 'bytes'] },
  { name: 'num', gas: 500, parameters: ['number'] },
  { name: 'big', gas: 500, parameters: ['bigint'] },
  { name: 'flag', gas: 500, parameters: ['boolean'] },
  { name: 'any', gas: 500, parameters: ['any'] },
  { name: 'echo', gas: 500, parameters: ['value'] },
  { name: 'emit', gas: 500, parameters: ['string'], rest: 'value' },
  { name: 'sum', gas: 500, parameters: [], rest: 'bigint' },
  { name: 'fail', gas: 500, parameters: ['string'] },
]

/**
 * @param {HostRefusal} Refusal the class of the interpreter that is used
 * @returns {import('../src/vm/host-function.ts').HostHandlers}
 */
export function hostileHandlers(Refusal) {
  const same = (/** @type {unknown} */ _, /** @type {import('../src/vm/value.ts').GuestValue} */ value) => value
  return {
    get: () => undefined,
    put: (_, /** @type {string} */ __, /** @type {Uint8Array} */ bytes) => bytes.length,
    num: same,
    big: same,
    flag: same,
    any: same,
    echo: same,
    emit: (_, ...values) => values.length,
    sum: (_, ...values) => /** @type {bigint[]} */ (values).reduce((sum, value) => sum + value, 0n),
    fail: (_, /** @type {string} */ message) => new Refusal(message, { name: 'Refused', data: Uint8Array.of(1, 2, 3) }),
  }
}

/**
 * Result of a call of the interpreter, or of the evaluation before it.
 *
 * @typedef {object} Found
 * @property {string} ends
 * @property {unknown} says
 * @property {readonly number[] | undefined} data of what was thrown
 * @property {number} gas of both
 */

/**
 * @param {Interpreter} interpreter
 * @param {import('../src/vm/host-function.ts').HostHandlers} handlers
 * @param {string} source
 * @param {number} gas limit of each of evaluation and call
 * @returns {Found}
 */
export function attack(interpreter, handlers, source, gas) {
  const compiled = interpreter.compile({ source, gas, handlers })
  if (!compiled.ok) {
    const { error } = compiled
    if (error.kind === 'fault' || error.kind === 'too-large') throw new Error(error.kind)
    return { ends: 'compile', says: error.kind === 'throw' ? error.message : error.kind, data: undefined, gas: error.gasUsed }
  }
  const { image, gasUsed } = compiled.value
  const outcome = interpreter.call({ image, entry: 'run', values: [], handlers, gas })
  if (outcome.kind === 'fault') throw outcome.error
  const says = outcome.kind === 'return' ? outcome.value : outcome.kind === 'throw' ? outcome.error.message : undefined
  const data = outcome.kind === 'throw' && outcome.error.data !== undefined ? [...outcome.error.data] : undefined
  return { ends: outcome.kind, says, data, gas: gasUsed + outcome.gasUsed }
}
