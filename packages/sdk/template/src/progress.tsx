import { explain } from './errors.ts'
import { Short } from './who.tsx'
import type { Progress } from './writing.ts'

const words: { readonly [step in Progress['step']]: string } = {
  idle: '',
  wallet: 'Waiting for your wallet …',
  queued: 'Queued …',
  signed: 'Signed and stored …',
  sent: 'Sent …',
  included: 'Final',
  failed: 'Not done.',
}

/** The live status of a transaction. Screen readers read its changes. */
export function ProgressLine({ progress }: { readonly progress: Progress }) {
  const { step, hash, block, error } = progress
  return (
    <p className={`progress ${step}`} role="status" data-step={step}>
      {words[step]}
      {step === 'included' && block !== undefined && ` in block ${block}`}
      {step === 'failed' && ` ${explain(error)}`}
      {hash !== undefined && (
        <>
          {' '}
          <Short hex={hash} />
        </>
      )}
    </p>
  )
}
