import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  // For `npm test` in this folder. Before their tests, files build contracts and page and start a chain.
  test: { testTimeout: 60_000, hookTimeout: 60_000 },
})
