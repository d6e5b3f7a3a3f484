#!/usr/bin/env node
// `npm run docs`: writes the reference of @quoin/contracts as HTML to docs/api/, from the docstrings. Fails if a docstring is missing.
import './lib/node-version.mjs'

void Promise.all([
  import('node:fs/promises'),
  import('node:path'),
  import('./lib/child.mjs'),
  import('./lib/install.mjs'),
  import('./lib/paths.mjs'),
  import('./lib/steps.mjs'),
]).then(([{ readFile }, { join }, { run }, { ensureInstalled, npmCommand }, { root }, { main, Refusal, step }]) =>
  main(async () => {
    const folder = join(root, 'docs-tools')
    const typedoc = join(folder, 'node_modules', 'typedoc')

    /** Whether typedoc is installed in the version of `package.json`. */
    async function isInstalled() {
      const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
      const installed = await readFile(join(typedoc, 'package.json'), 'utf8').catch((error) => {
        if (error.code === 'ENOENT') return '{}'
        throw error
      })
      return JSON.parse(installed).version === dependencies.typedoc
    }

    await ensureInstalled()
    if (!(await isInstalled())) {
      const [command, ...own] = npmCommand()
      const args = [...own, 'ci', '--no-audit', '--no-fund']
      const { value } = await step('Install typedoc (npm ci)', () => run(command, args, { cwd: folder, output: 'capture' }))
      if (value.code !== 0) throw new Refusal(`npm could not install typedoc:\n${value.output.trimEnd()}`)
    }
    const args = [join(typedoc, 'bin', 'typedoc'), '--options', join(folder, 'typedoc.config.mjs')]
    const { code } = await run(process.execPath, args, { cwd: folder })
    if (code !== 0) throw new Refusal('typedoc failed, the reference was not written. See its messages above.')
    return 0
  }),
)
