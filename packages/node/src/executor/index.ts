export { startWorkerExecutor, WorkerExecutor, type WorkerExecutorOptions } from './worker-executor.ts'
