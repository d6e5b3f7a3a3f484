import { describeStore } from '../../test/store/conformance.ts'
import { memoryStore } from './memory.ts'

describeStore('memoryStore', async () => ({ open: async () => memoryStore(), destroy: async () => undefined }), {
  isShared: false,
})
