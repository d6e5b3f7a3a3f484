import type { Role } from './stage.ts'

/** Is there, hears all, and says nothing. */
export const silent: Role = {
  name: 'silent',
  play: (stage, self) => stage.twist(self, () => []),
}
