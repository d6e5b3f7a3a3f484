import { type CallPool, openCallPool } from '../src/executor/call-pool.ts'

/** Opens a pool, starts its threads and waits until each can run calls. Rejects when one cannot. */
export async function startCallPool(options: Parameters<typeof openCallPool>[0]): Promise<CallPool> {
  const pool = openCallPool(options)
  try {
    await pool.start()
    return pool
  } catch (error) {
    await pool.close()
    throw error
  }
}
