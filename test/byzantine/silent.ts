import type { Role } from './stage.ts'

/** Stays connected, receives everything, and sends nothing. */
export const silent: Role = {
  name: 'silent',
  play: (stage, self) => stage.twist(self, () => []),
}
