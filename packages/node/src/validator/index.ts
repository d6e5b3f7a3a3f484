/** Runs the validator of a data directory in this process, reloads the settings of a running one, or checks the files of a stopped one. */
export { doctor } from './doctor.ts'
export { reload } from './reload.ts'
export { start } from './start.ts'
