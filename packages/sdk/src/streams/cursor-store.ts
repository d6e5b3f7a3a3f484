/** Keeps the position of a consumer across restarts of its process or page. */
export interface CursorStore {
  /** Undefined if nothing was acknowledged yet. */
  read(): Promise<string | undefined>
  /** Resolves when the cursor is as durable as the store makes it. */
  write(cursor: string): Promise<void>
}
