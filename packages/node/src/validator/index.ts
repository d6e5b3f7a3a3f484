/** Runs the validator of a data directory as this process, or checks all that it has on disk. */
export { doctor } from './doctor.ts'
export { start } from './start.ts'
