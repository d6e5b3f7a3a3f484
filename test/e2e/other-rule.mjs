// Loaded before a node (`--import`): from block 5 on it treats every block as invalid, as a node with a bug or of another version would.
import { register } from 'node:module'

const RULE = 'return timeProblem(parent, header.timeMs)'
const hooks = `export async function load(url, context, next) {
  const loaded = await next(url, context)
  if (!url.endsWith('/node/dist/chain/header-rules.js')) return loaded
  const text = String(loaded.source)
  if (!text.includes(${JSON.stringify(RULE)})) throw new Error('header-rules.js does not contain the rule that this test replaces')
  const source = text.replace(${JSON.stringify(RULE)}, "if (header.number >= 5) return 'a rule of this node alone';" + ${JSON.stringify(RULE)})
  return { ...loaded, source }
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
