// A program that reads once and closes nothing: `node ends.mjs <url> …`. It uses the built package, as applications do.
import { cluster } from '@quoin/sdk'
import { createClient } from 'viem'
import { getBlockNumber } from 'viem/actions'
import { WebSocket } from 'ws'

const client = createClient({ transport: cluster(process.argv.slice(2), { webSocket: WebSocket, idle: 100 }) })
void getBlockNumber(client).then((height) => process.stdout.write(`${height}\n`))
