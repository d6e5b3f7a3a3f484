/**
 * A hostile script and how its call must end.
 *
 * @typedef {object} Hostile
 * @property {string} name
 * @property {string} source a module that exports `run`, or fails itself
 * @property {'return' | 'throw' | 'out-of-gas' | 'out-of-depth' | 'trap' | 'compile'} ends how: in a trap QuickJS failed for lack
 *   of memory, the same everywhere
 * @property {unknown} [says] what `run` returns, or the message of what is thrown; not compared when absent
 * @property {readonly number[]} [data] bytes that come with what is thrown; none when absent
 */

/**
 * A script whose `run` has this body.
 *
 * @param {string} name
 * @param {Hostile['ends']} ends
 * @param {string} body
 * @param {unknown} [says]
 * @param {string} [before] what the module does before
 * @param {readonly number[]} [data]
 * @returns {Hostile}
 */
export const run = (name, ends, body, says, before = '', data) => ({
  ...source(name, ends, `${before === '' ? '' : `${before}\n`}export function run() { ${body} }`, says),
  ...(data === undefined ? {} : { data }),
})

/**
 * A script with this module as its source.
 *
 * @param {string} name
 * @param {Hostile['ends']} ends
 * @param {string} text
 * @param {unknown} [says]
 * @returns {Hostile}
 */
export const source = (name, ends, text, says) => ({ name, source: text, ends, ...(says === undefined ? {} : { says }) })
