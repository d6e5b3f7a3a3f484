import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/**
 * Runs a program to its end. Throws if it fails.
 *
 * @param {readonly [command: string, ...args: string[]]} command
 * @param {{ cwd: string, env?: Record<string, string> }} options `env`: additional variables
 * @returns {Promise<{ ms: number, output: string }>} time of the whole process, and its stdout
 */
export async function timed([command, ...args], { cwd, env = {} }) {
  const started = performance.now()
  const child = spawn(command, args, { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
  const [code, output, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  const ms = performance.now() - started
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed with exit code ${code}:\n${output}\n${complaint}`)
  return { ms, output }
}
