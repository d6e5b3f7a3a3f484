import type { Order } from '../messages.ts'
import { Attacker } from './attacker.ts'
import { fail, onOrder, report } from './channel.ts'
import { HonestUsers } from './honest.ts'
import { Sampler } from './sampler.ts'

/** Entry of the suite's processes. The first order decides what this process is. */

let sampler: Sampler | undefined
let honest: HonestUsers | undefined
let attacker: Attacker | undefined

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

async function take(order: Order): Promise<void> {
  switch (order.kind) {
    case 'task':
      if (order.task.role === 'sampler') sampler = new Sampler(order.task.nodes)
      else if (order.task.role === 'honest') honest = new HonestUsers()
      else attacker = await Attacker.prepare(order.task)
      return report({ kind: 'ready' })
    case 'nodes':
      return sampler?.watch(order.nodes)
    case 'lanes':
      return honest?.walk(order.lanes, order.prepared)
    case 'begin':
      return attacker?.begin()
    case 'end':
      return report({ kind: 'tally', tally: (await attacker?.end()) ?? {} })
  }
}

onOrder(take)
