import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './paths.mjs'

/** The table of methods in docs/json-rpc.md. */

const pagePath = join(root, 'docs/json-rpc.md')
const rowsPath = join(root, 'docs/json-rpc-methods.json')
const start = /<!-- methods: .* -->\n/
const end = '<!-- end of methods -->'

/**
 * Writes the table of methods into the page.
 *
 * @param {string} page
 * @param {{ methods: readonly object[], components: object }} document what `rpc.discover` answers
 * @param {readonly { methods: readonly string[], differences: string }[]} rows how the methods are grouped, and what is different
 * @returns {string} the page with the table
 * @throws {Error} if the page has no markers, or a method has no row or two
 */
export function withMethods(page, document, rows) {
  const found = start.exec(page)
  const until = page.indexOf(end)
  if (found === null || until < found.index) throw new Error('docs/json-rpc.md has no place for the table of methods')
  return page.slice(0, found.index) + found[0] + table(document, rows) + page.slice(until)
}

/** Writes the table of the built node's methods into the page. */
export async function writeMethods() {
  const { rpcMethods } = await import('../../packages/node/dist/rpc/extension.js')
  const { pieces } = await rpcMethods['rpc.discover'].run({ clientVersion: '' }, [], { isSliceOver: () => false })
  const [page, rows] = await Promise.all([readFile(pagePath, 'utf8'), readFile(rowsPath, 'utf8')])
  await writeFile(pagePath, withMethods(page, JSON.parse(pieces.join('')), JSON.parse(rows)))
}

function table({ methods }, rows) {
  const described = new Map(methods.map((method) => [method.name, method]))
  const named = rows.flatMap((row) => row.methods)
  const missing = [...described.keys()].filter((name) => !named.includes(name))
  if (missing.length > 0) throw new Error(`docs/json-rpc-methods.json has no row for ${missing.join(', ')}`)
  const twice = named.filter((name, i) => named.indexOf(name) !== i)
  if (twice.length > 0) throw new Error(`docs/json-rpc-methods.json has two rows for ${twice.join(', ')}`)
  const lines = rows.map((row) => {
    const signatures = row.methods.map((name) => signature(name, described.get(name)))
    return `| ${signatures.join('<br>')} | ${row.differences} |`.replace('|  |', '| |')
  })
  return ['| method | differences from execution-apis, and why |', '| --- | --- |', ...lines, ''].join('\n')
}

/** A method that always refuses has no description. */
function signature(name, method) {
  if (method === undefined) return `\`${name}\``
  const params = method.params.map((param) => (param.required ? param.name : `${param.name}?`))
  return `\`${name}(${params.join(', ')})\` → ${typeName(method.result.schema)}`
}

/** A schema in words: its name, or what it is made of. */
function typeName(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)
  if (schema.anyOf !== undefined) {
    const names = schema.anyOf.map(typeName)
    return [...names.filter((name) => name !== 'null'), ...names.filter((name) => name === 'null')].join(' or ')
  }
  if (schema.type === 'array') {
    const item = typeName(schema.items)
    return item.includes(' ') ? `(${item})[]` : `${item}[]`
  }
  return schema.type
}
