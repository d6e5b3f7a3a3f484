import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** Closes the connections, which would otherwise keep the process alive. */
export const closeRpc = () => agent.destroy()

/** Posts JSON to a node on this machine. A minimal client, because it shares the CPU with the nodes. */
export function post(port, body) {
  return new Promise((resolve, reject) => {
    const call = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/',
      agent,
      headers: { 'content-type': 'application/json' },
    })
    call.on('response', (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())))
    })
    call.on('error', reject)
    call.end(body)
  })
}

export async function rpc(port, method, ...params) {
  const answer = await post(port, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

/** A node's metrics by name, without the prefix `quoin_`. */
export async function metrics(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, value]) => [name.replace('quoin_', ''), Number(value)]),
  )
}
