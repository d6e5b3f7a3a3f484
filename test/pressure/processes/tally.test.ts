import { expect, it } from 'vitest'
import { TallyBook } from './tally.ts'

it('counts refusals of one kind together, whatever figures they name', () => {
  const book = new TallyBook()
  const refusal = (text: string) => `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"${text}"}}`
  expect(book.addRefusals(`[${refusal('wait 12 ms')},{"id":2,"result":"0x1"},${refusal('wait 9.5 ms')}]`)).toBe(2)
  book.add('answered', 3)
  book.add('answered', 0)
  expect(book.get()).toEqual({ answered: 3, '-32005 wait # ms': 2 })
})

it('holds no more names than it shows', () => {
  const book = new TallyBook()
  for (let i = 0; i < 1_000; i++) book.add(`outcome ${'x'.repeat(i)}`)
  expect(Object.keys(book.get()).length).toBe(25)
  expect(book.get()['other']).toBe(976)
})
