import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** An interrupted or overdue program is killed if it does not stop within this time. */
const stopGraceMs = 10_000

/** Characters of a program's output that are kept to find out why it failed. */
const keptOutputMax = 1_048_576

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** @type {NodeJS.Signals | undefined} */
let interruptedBy

/** The user stopped the script. All programs that it had started have ended when this is thrown. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/**
 * Runs a program to its end, in its own process group, so that its child processes can be stopped with it.
 *
 * `output`: `inherit` shows the output, `tee` shows and returns it, `capture` only returns it (stdout and stderr together, the last
 * million characters). `msMax` stops the program when it runs longer, `silentMsMax` when it prints nothing for this long (not with
 * `inherit`); the result is then `overdue`.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, output?: 'inherit' | 'tee' | 'capture', msMax?: number, silentMsMax?: number }} [options]
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, output: string, overdue: boolean }>} rejects with
 *   Interrupted, or with the system's error if the program cannot be started.
 */
export function run(command, args, { cwd, env = {}, output = 'inherit', msMax, silentMsMax } = {}) {
  if (interruptedBy !== undefined) return Promise.reject(new Interrupted(interruptedBy))
  return new Promise((resolve, reject) => {
    const shared = output === 'inherit' ? 'inherit' : 'pipe'
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', shared, shared],
    })
    if (running.size === 0) watchSignals()
    running.add(child)

    let overdue = false
    const expire = () => {
      overdue = true
      stop(child, 'SIGTERM')
    }
    const deadline = msMax === undefined ? undefined : setTimeout(expire, msMax)
    const silence = silentMsMax === undefined ? undefined : setTimeout(expire, silentMsMax)

    let kept = ''
    const keep = (/** @type {NodeJS.WriteStream} */ shownOn) => (/** @type {string} */ text) => {
      if (!overdue) silence?.refresh()
      if (output === 'tee') shownOn.write(text)
      kept = (kept + text).slice(-keptOutputMax)
    }
    child.stdout?.setEncoding('utf8').on('data', keep(process.stdout))
    child.stderr?.setEncoding('utf8').on('data', keep(process.stderr))

    const forget = () => {
      clearTimeout(deadline)
      clearTimeout(silence)
      running.delete(child)
      if (running.size === 0) unwatchSignals()
    }
    child.once('error', (error) => {
      forget()
      reject(error)
    })
    // Kill the rest of the process group, so that nothing outlives the script or keeps its pipes open.
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    child.once('close', (code, signal) => {
      forget()
      if (interruptedBy !== undefined) reject(new Interrupted(interruptedBy))
      else resolve({ code, signal, output: kept, overdue })
    })
  })
}

function watchSignals() {
  for (const signal of signals) process.on(signal, interrupt)
  process.on('exit', killAll)
}

function unwatchSignals() {
  for (const signal of signals) process.removeListener(signal, interrupt)
  process.removeListener('exit', killAll)
}

/** The terminal and npm may both deliver the same Ctrl-C. Only the first one counts. */
function interrupt(/** @type {NodeJS.Signals} */ signal) {
  if (interruptedBy !== undefined) return
  interruptedBy = signal
  for (const child of running) stop(child, signal)
}

function stop(/** @type {import('node:child_process').ChildProcess} */ child, /** @type {NodeJS.Signals} */ signal) {
  killGroup(child, signal)
  const timer = setTimeout(() => killGroup(child, 'SIGKILL'), stopGraceMs)
  child.once('close', () => clearTimeout(timer))
}

function killAll() {
  for (const child of running) killGroup(child, 'SIGKILL')
}

function killGroup(/** @type {import('node:child_process').ChildProcess} */ child, /** @type {NodeJS.Signals} */ signal) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // ESRCH: all processes of the group have already ended.
    if (error.code !== 'ESRCH') throw error
  }
}
