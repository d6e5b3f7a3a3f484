import { useSend } from '@quoin/sdk/react'
import { useId } from 'react'
import { ledgerAbi } from '../ledger.ts'
import { useActing } from './acting.tsx'
import { explain } from './errors.ts'

const WORDS = {
  queued: 'Queued …',
  signed: 'Signed and stored …',
  sent: 'Sent …',
  included: 'Final',
  failed: 'Not done.',
} as const

/** A tracked send of the acting organisation, and the line that shows its live status. Screen readers read its changes. */
export function useSending() {
  const { ledger, sends } = useActing()
  const { writeContract, update, data, error, isPending } = useSend(sends)
  const target = { address: ledger.address, abi: ledgerAbi } as const
  const status = update?.status
  const failure = error ?? update?.error
  const line = status !== undefined && (
    <p className={`progress ${status}`} role="status" data-status={status}>
      {WORDS[status]}
      {data !== undefined && ` in block ${data.blockNumber}`}
      {status === 'failed' && failure !== undefined && ` ${explain(failure)}`}
    </p>
  )
  return { writeContract, target, isReady: sends !== undefined && !isPending, line }
}

/** A labelled text field. */
export function Field(props: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly inputMode?: 'decimal' | 'numeric'
}) {
  const id = useId()
  const { label, value, onChange, inputMode = 'decimal' } = props
  return (
    <span className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} value={value} inputMode={inputMode} onChange={(event) => onChange(event.target.value)} />
    </span>
  )
}
