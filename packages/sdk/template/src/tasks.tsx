import { useContractState } from '@quoin/sdk/react'
import { type SyntheticEvent, useEffect, useState } from 'react'
import { zeroAddress } from 'viem'
import type { Board } from './board.ts'
import { explain } from './errors.ts'
import { useLogin } from './login.tsx'
import { ProgressLine } from './progress.tsx'
import { Who } from './who.tsx'
import { useWriting } from './writing.ts'

/** Tasks on the page. */
const SHOWN_MAX = 50n

export function Tasks({ board }: { readonly board: Board }) {
  const { login } = useLogin()
  const { data: tasks, error } = useContractState({ ...board, functionName: 'newest', args: [SHOWN_MAX] })
  return (
    <section className="card" aria-labelledby="tasks-title">
      <h2 id="tasks-title">Tasks</h2>
      {login !== undefined && <NewTask board={board} />}
      {error !== null && (
        <p className="error" role="alert">
          {explain(error)}
        </p>
      )}
      {tasks === undefined && error === null && <p className="hint">Reading the board …</p>}
      {tasks?.length === 0 && <p className="hint">Nothing to do yet.</p>}
      <ul className="tasks">
        {tasks?.map((task) => (
          <TaskItem key={String(task.id)} board={board} task={task} />
        ))}
      </ul>
    </section>
  )
}

function NewTask({ board }: { readonly board: Board }) {
  const [text, setText] = useState('')
  const { progress, write } = useWriting(board)
  const isIncluded = progress.step === 'included'
  useEffect(() => {
    if (isIncluded) setText('')
  }, [isIncluded])
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    write?.({ functionName: 'add', args: [text] })
  }
  return (
    <form onSubmit={submit}>
      <label htmlFor="new-task">What is to be done?</label>
      <div className="field">
        {/* The contract decides what a good text is: nothing here repeats its rules. */}
        <input
          id="new-task"
          value={text}
          onChange={(event) => setText(event.target.value)}
          readOnly={write === undefined}
          autoComplete="off"
        />
        <button type="submit" disabled={write === undefined}>
          Add
        </button>
      </div>
      <ProgressLine progress={progress} />
    </form>
  )
}

interface Task {
  readonly id: bigint
  readonly text: string
  readonly author: string
  readonly finisher: string
}

function TaskItem({ board, task }: { readonly board: Board; readonly task: Task }) {
  const { login } = useLogin()
  const { progress, write } = useWriting(board)
  const isOpen = task.finisher === zeroAddress
  return (
    <li className={isOpen ? 'open' : 'finished'}>
      <div className="task">
        <p className="text">{task.text}</p>
        <p className="hint">
          added by <Who address={task.author} />
          {!isOpen && (
            <>
              {', finished by '}
              <Who address={task.finisher} />
            </>
          )}
        </p>
      </div>
      {isOpen && login !== undefined && (
        <button
          type="button"
          className="quiet"
          disabled={write === undefined}
          onClick={() => write?.({ functionName: 'finish', args: [task.id] })}
          aria-label={`Finish: ${task.text}`}
        >
          Finish
        </button>
      )}
      {progress.step !== 'idle' && <ProgressLine progress={progress} />}
    </li>
  )
}
