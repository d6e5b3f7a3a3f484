import { CommandError, linkDeadline } from '@quoin/node/process'

const ANSWER_MS_MAX = 30_000

/**
 * Asks a node one question over JSON-RPC.
 *
 * @returns the result, whatever it is
 * @throws CommandError when the node does not answer, or answers with an error
 */
export async function ask(rpc: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await postJson(rpc, { jsonrpc: '2.0', id: 1, method, params })
  const { result, error } = answer as { readonly result?: unknown; readonly error?: { readonly message?: unknown } }
  if (error !== undefined) throw new CommandError(`${rpc} returned an error: ${String(error.message)}`)
  return result
}

async function postJson(url: string, body: unknown): Promise<object> {
  const headers = { 'content-type': 'application/json' }
  const { signal, unlink } = linkDeadline(ANSWER_MS_MAX, [])
  try {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
    const json: unknown = await response.json()
    if (typeof json === 'object' && json !== null) return json
  } catch (failure) {
    const { cause = failure } = failure as { readonly cause?: unknown }
    throw new CommandError(`request to ${url} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
  } finally {
    unlink()
  }
  throw new CommandError(`${url} did not return a JSON-RPC response`)
}
