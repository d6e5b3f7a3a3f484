/** What `calibrate` takes on the machine of docs/benchmarks.md while it is quiet. */
export const REFERENCE_SECONDS = 0.95

/** A machine's speed, to compare figures of several: 3 · 10⁸ turns of a loop over 32-bit integers, in seconds of CPU. */
export function calibrate() {
  const before = process.cpuUsage()
  let x = 1
  for (let i = 0; i < 3e8; i++) x = (x * 31 + i) | 0
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, x }
}

/** The line that a bench begins with. */
export const calibrationLine = ({ seconds }) =>
  `calibration: 3e8 turns of an integer loop in ${seconds.toFixed(2)} s of CPU, on the reference machine ${REFERENCE_SECONDS}; Node ${process.version}`
