import { fileStore } from '../../src/store/node.ts'

/** A process that takes a name and keeps it: `owner <directory> <name>`. It prints `owner` when it has it. */
const [directory, name] = process.argv.slice(2)
const store = await fileStore(directory!)
const alive = setInterval(() => undefined, 60_000)
await store.own(name!, async (lost) => {
  process.stdout.write('owner\n')
  await new Promise((resolve) => lost.addEventListener('abort', resolve))
  process.stdout.write('lost\n')
})
clearInterval(alive)
