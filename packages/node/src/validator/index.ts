/** Runs the validator of a data directory as this process, has a running one read its settings again, or checks what a stopped one has on disk. */
export { doctor } from './doctor.ts'
export { reload } from './reload.ts'
export { start } from './start.ts'
