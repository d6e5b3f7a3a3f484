import { CommandError } from '@quoin/node/process'
import { Chain } from './chain.ts'
import { listOf, type Shown, shownValues, tableOf } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { parseId } from './words.ts'

export async function listNodes(options: ReadOptions, print: Print): Promise<void> {
  const nodes = await new Chain(options.rpc).list('quoin_nodes')
  if (options.json) return print(JSON.stringify(nodes, null, 2))
  const columns = ['peerId', 'kind', 'organisation', 'addresses']
  print(
    tableOf(
      columns,
      nodes.map((node) => columns.map((column) => node[column] as Shown)),
    ),
  )
}

export async function showNode(peerId: string, options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const { exists, ...values } = await chain.view('node', peerId)
  if (exists !== true) throw new CommandError(`the node ${peerId} is not registered: quoin node list shows all`)
  const shown = { peerId, ...shownValues(values, new Map()) }
  print(options.json ? JSON.stringify(shown, null, 2) : listOf(shown))
}

export interface NodeOptions extends WriteOptions {
  readonly kind?: string
  readonly organisation?: string
  readonly address?: readonly string[]
}

/** Registers a node, or changes what is given of its entry. */
export async function setNode(peerId: string, options: NodeOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const present = await chain.view('node', peerId)
  const known = present['exists'] === true
  if (!known && options.organisation === undefined)
    throw new CommandError(`the node ${peerId} is not registered yet: a new one needs --organisation`)
  const values = [
    peerId,
    options.kind ?? (known ? present['kind']! : 'observer'),
    options.organisation === undefined ? present['organisation']! : parseId(options.organisation, '--organisation'),
    options.address ?? (known ? present['addresses']! : []),
  ]
  await submit(chain, { name: 'setNode', values }, options, print)
}

export const setNodeAddresses = (
  peerId: string,
  addresses: readonly string[],
  options: WriteOptions,
  print: Print,
): Promise<void> => submit(new Chain(options.rpc), { name: 'setNodeAddresses', values: [peerId, addresses] }, options, print)

export const removeNode = (peerId: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'removeNode', values: [peerId] }, options, print)
