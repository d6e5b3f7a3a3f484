import { fileStore } from '../../src/store/node.ts'

/**
 * A process that commits without end: `committer <directory> <name>`. Each commit raises `count/<name>` and `total` by one, and is printed when it
 * is durable.
 */
const [directory, name] = process.argv.slice(2)
const store = await fileStore(directory!)
for (;;) {
  const [mine, total] = await Promise.all([store.get(`count/${name}`), store.get('total')])
  const next = String(Number(mine ?? 0) + 1)
  const changes = [
    { key: `count/${name}`, value: next },
    { key: 'total', value: String(Number(total ?? 0) + 1) },
  ]
  const conditions = [
    { key: `count/${name}`, value: mine },
    { key: 'total', value: total },
  ]
  if (await store.commit(changes, { if: conditions })) process.stdout.write(`${next}\n`)
}
