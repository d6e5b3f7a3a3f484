export { default } from '@quoin/contracts/presets/token'
