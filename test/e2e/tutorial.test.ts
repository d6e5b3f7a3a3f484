import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Lock, type LockPackages, projectLock } from '../../packages/cli/src/create/lock.ts'
import { attempt, environment, npm } from './npm.ts'
import { Program, ROOT, run } from './program.ts'

/** The steps that the tutorial asks its reader to do, in order. */
type Step =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'run'; readonly line: string }
  | { readonly kind: 'output'; readonly lines: readonly string[] }

const RPC_URL = 'http://127.0.0.1:8545'
const MY_DAPP = '../my-dapp'

/** The code blocks of a page: a file is named in the line before, `sh` is run, `text` is the output of the last command. */
function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, path, language, text]): Step[] => {
    const lines = text!.split('\n').filter((line) => line !== '')
    if (path !== undefined) return [{ kind: 'file', path, text: text! }]
    if (language === 'sh') return lines.map((line) => ({ kind: 'run', line }))
    if (language === 'text') return [{ kind: 'output', lines }]
    throw new Error(`the tutorial has a block of ${language} that is neither a file nor a command`)
  })
}

let parent: string
let node: Program | undefined

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'quoin-tutorial-'))
})

afterAll(async () => {
  await node?.end('SIGINT')
  await rm(parent, { recursive: true, force: true })
})

/** `npm install <name>` in the version of the repository's lock file, so that it needs no network. */
async function installFromLock(project: string, name: string): Promise<void> {
  const json = async <T>(...path: readonly string[]): Promise<T> => JSON.parse(await readFile(join(...path), 'utf8')) as T
  const repository = (await json<{ readonly packages: LockPackages }>(ROOT, 'package-lock.json')).packages
  const before = await json<Lock>(project, 'package-lock.json')
  const manifest = await json<Parameters<typeof projectLock>[1]>(project, 'package.json')
  const dependencies = { [name]: repository[`node_modules/${name}`]!.version! }
  const added = projectLock(repository, { name: manifest.name, version: manifest.version, dependencies }, [])
  const root = { ...before.packages[''], dependencies }
  const packages = { ...added.packages, ...before.packages, '': root }
  await writeFile(join(project, 'package.json'), JSON.stringify({ ...manifest, dependencies }))
  await writeFile(join(project, 'package-lock.json'), JSON.stringify({ ...before, packages }))
  const { code, output } = await attempt('npm', ['ci', '--ignore-scripts'], project)
  expect(code, output).toBe(0)
}

it('goes from an empty folder to a called contract, as the tutorial says, without a network', async () => {
  const project = join(parent, 'my-dapp')
  const steps = stepsOf(await readFile(join(ROOT, 'docs', 'tutorial.md'), 'utf8'))
  expect(steps.length).toBeGreaterThan(10)
  let cwd = ROOT
  let url = RPC_URL
  let shown = ''
  for (const step of steps) {
    if (step.kind === 'file') {
      const path = join(project, step.path)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, step.text.replaceAll(RPC_URL, url))
    } else if (step.kind === 'output') {
      for (const line of step.lines) expect(shown.replace(/ +/g, ' ')).toContain(line.trim().replace(/ +/g, ' '))
    } else if (step.line.startsWith('cd ')) {
      expect(step.line).toBe(`cd ${MY_DAPP}`)
      cwd = project
    } else if (step.line === 'npm run dev') {
      node = npm(['run', 'dev', '--', '--port', '0'], cwd, { group: true })
      url = (await node.shows(/http:\/\/127\.0\.0\.1:\d+/))[0]
    } else if (step.line === 'npm install viem') {
      await installFromLock(project, 'viem')
    } else {
      const [program, ...args] = step.line.replace(MY_DAPP, project).split(' ')
      const { code, output } = await attempt(program!, args, cwd)
      expect(code, `${step.line}\n${output}`).toBe(0)
      shown = output
    }
  }
  // The same artifact with the rest of viem.
  await copyFile(join(ROOT, 'test', 'e2e', 'artifact.mjs'), join(project, 'scripts', 'artifact.mjs'))
  const used = await run(new Program(process.execPath, ['scripts/artifact.mjs', url], { cwd, env: environment }))
  expect(used.code, used.output).toBe(0)
  expect(JSON.parse(used.output)).toEqual({
    ...{ giver: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', amount: '30', total: '30' },
    ...{ status: 'reverted', errorName: 'GoalMissed', args: ['30'] },
  })
  const deployed = await run(new Program('npm', ['run', 'deploy'], { cwd, env: { ...environment, RPC_URL: url } }))
  expect(deployed.output).toMatch(
    /Deployed the token at 0x[\da-fA-F]{40} \(\d+ gas\)\. Its supply of 1000000000000000000000 belongs to 0xf39F/,
  )
  expect(deployed.code).toBe(0)
})
