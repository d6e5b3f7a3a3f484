// Deploys token and ledger to a development chain, and writes where they are into public/deployment.json, which the page reads.
// Setting: RPC_URL (http://127.0.0.1:8545).
import { mkdir, writeFile } from 'node:fs/promises'
import * as ledger from '../artifacts/ledger.js'
import * as token from '../artifacts/token.js'
import { setUp } from './set-up.mjs'

const url = process.env.RPC_URL ?? 'http://127.0.0.1:8545'
const deployment = await setUp(url, { ledger, token })
const folder = new URL('../public/', import.meta.url)
await mkdir(folder, { recursive: true })
await writeFile(new URL('deployment.json', folder), `${JSON.stringify({ urls: [url], ...deployment }, null, 2)}\n`)
console.log(`The ledger is at ${deployment.ledger}.`)
