import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { RestartDelay } from './restart-delay.ts'
import { SupervisedThread } from './supervised-thread.ts'

const ECHO = `const { parentPort } = require('node:worker_threads')
parentPort.on('message', (message) => {
  if (message === 'throw') throw new RangeError('too far')
  if (message === 'exit') process.exit(7)
  if (message === 'loop') for (;;);
  parentPort.postMessage(message)
})`

function start() {
  const heard: string[] = []
  const deaths: string[] = []
  const thread = new SupervisedThread<string, string>(new Worker(ECHO, { eval: true }), 'the echo', {
    onMessage: (message) => heard.push(message),
    onEnd: ({ message }) => deaths.push(message),
  })
  return { thread, heard, deaths }
}

it.each([
  ['throw', 'the echo failed: too far'],
  ['exit', 'the echo exited with code 7'],
])('a thread that ends by itself (%s) is reported once, with the reason', async (message, reason) => {
  const { thread, heard, deaths } = start()
  thread.post('hello')
  thread.post(message)
  await thread.ended
  expect(heard).toEqual(['hello'])
  expect(deaths).toEqual([reason])
  expect(thread.death?.message).toBe(reason)
  thread.post('nobody hears this')
  thread.kill(new Error('later'))
  expect(deaths).toEqual([reason])
})

it('a thread that is killed in a loop ends, and the first reason is kept', async () => {
  const { thread, deaths } = start()
  thread.post('loop')
  thread.kill(new Error('the first reason'))
  thread.kill(new Error('the second reason'))
  expect(thread.death?.message).toBe('the first reason')
  expect(deaths).toEqual([])
  await thread.ended
  expect(deaths).toEqual(['the first reason'])
})

it('delays double up to the limit, and begin again after a success', () => {
  const delay = new RestartDelay({ restartMsMin: 100, restartMsMax: 500 })
  expect([delay.next(), delay.next(), delay.next(), delay.next(), delay.deaths]).toEqual([100, 200, 400, 500, 4])
  delay.reset()
  expect([delay.deaths, delay.next()]).toEqual([0, 100])
})
