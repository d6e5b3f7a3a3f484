import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** How long an interrupted or overdue program may take to stop by itself before it is killed. */
const stopGraceMs = 10_000

/** How much of a program's output is kept for finding out why it failed, in characters. */
const keptOutputMax = 1_048_576

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** @type {NodeJS.Signals | undefined} */
let interruptedBy

/** The user stopped the script; everything it had started is gone when this is thrown. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/**
 * Runs a program to its end, in a process group of its own, so that whatever it starts can be stopped with it.
 *
 * `output`: `inherit` shows it, `tee` shows and returns it, `capture` only returns it (stdout and stderr together, the last
 * million characters). `msMax` stops the program when it runs longer, `silentMsMax` when it prints nothing for so long (not with
 * `inherit`); the result then says `overdue`.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, output?: 'inherit' | 'tee' | 'capture', msMax?: number, silentMsMax?: number }} [options]
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, output: string, overdue: boolean }>} rejects with
 *   Interrupted, or with the system's error when the program cannot be started.
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
    // What the program left behind in its group goes with it: nothing outlives the script, or keeps its pipes open.
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

/** A terminal and npm may each deliver the same Ctrl-C; the first one counts. */
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
    // The group is empty: everything has ended already.
    if (error.code !== 'ESRCH') throw error
  }
}
