import { Program, type ProgramOptions, run } from './program.ts'

/** Environment of a line that is run as in a terminal: it uses only npm's cache, and no colours from another test runner. */
export const environment = {
  NO_COLOR: '1',
  npm_config_offline: 'true',
  npm_config_audit: 'false',
  FORCE_COLOR: '0',
  CI: '1',
  VITEST: '',
}

export const npm = (
  args: readonly string[],
  cwd: string,
  { env = {}, ...options }: Pick<ProgramOptions, 'env' | 'group'> = {},
): Program => new Program('npm', args, { cwd, env: { ...environment, ...env }, ...options })

/**
 * Runs a line without a network. Packages missing from npm's cache, because it was emptied after the installation, are not a fault of the
 * project.
 */
export async function attempt(program: string, args: readonly string[], cwd: string) {
  const ran = await run(new Program(program, args, { cwd, env: environment }))
  if (!ran.output.includes('ENOTCACHED')) return ran
  console.warn("npm's cache lacks what was installed here: this test asks the registry")
  return run(new Program(program, args, { cwd, env: { ...environment, npm_config_offline: 'false' } }))
}
