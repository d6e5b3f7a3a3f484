import { type Logger as Pino, pino } from 'pino'

/** A log whose level can be changed while it is in use. */
export interface LiveLog {
  readonly log: Pino
  setLevel(level: string): void
}

/** Opens a JSON log on stdout. A Pino child keeps the level that it was created with, so `setLevel` sets it on every child. */
export function openLog(level: string): LiveLog {
  const children = new Set<WeakRef<Pino>>()
  const log: Pino = pino({
    level,
    base: null,
    onChild: (child) => void children.add(new WeakRef(child as Pino)),
  })
  return {
    log,
    setLevel(next) {
      log.level = next
      for (const reference of children) {
        const child = reference.deref()
        if (child === undefined) children.delete(reference)
        else child.level = next
      }
    },
  }
}
