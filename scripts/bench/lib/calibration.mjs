/** Seconds that `calibrate` takes on the idle reference machine of docs/benchmarks.md. */
export const REFERENCE_SECONDS = 0.95

/** Measures a machine's speed, to compare figures of several machines: CPU seconds for 3 · 10⁸ iterations of a loop over 32-bit integers. */
export function calibrate() {
  const before = process.cpuUsage()
  let x = 1
  for (let i = 0; i < 3e8; i++) x = (x * 31 + i) | 0
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, x }
}

/** The first output line of a bench. */
export const calibrationLine = ({ seconds }) =>
  `calibration: 3e8 iterations of an integer loop in ${seconds.toFixed(2)} s of CPU (reference machine: ${REFERENCE_SECONDS} s); Node ${process.version}`
