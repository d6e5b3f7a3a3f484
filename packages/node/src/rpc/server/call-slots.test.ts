import { expect, it } from 'vitest'
import { CallSlots } from './call-slots.ts'

it('whoever finds no place waits for one, and addresses take turns', async () => {
  const slots = new CallSlots()
  const client = (remote: string, connection: number) => ({ remote, connection })
  expect([slots.take(client('a', 1), 2), slots.take(client('a', 1), 2)]).toEqual([undefined, undefined])
  const order: string[] = []
  const waiting = [client('a', 1), client('a', 2), client('b', 3)].map((one) =>
    slots.take(one, 2)!.then(() => void order.push(`${one.remote}${one.connection}`)),
  )
  for (let i = 0; i < 3; i++) {
    slots.release()
    await Promise.resolve()
  }
  await Promise.all(waiting)
  expect(order).toEqual(['a1', 'b3', 'a2'])
  slots.release()
  slots.release()
  expect(slots.take(client('c', 4), 1)).toBeUndefined()
})
