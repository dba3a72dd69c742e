// Short messages at the edge of the page: what was done, with a way back, and what did not work.
import { Problem } from '../api/client'
import { errorText } from '../i18n/index.svelte'

export interface Toast {
  readonly id: number
  readonly kind: 'done' | 'problem'
  readonly text: string
  readonly undo?: () => void | Promise<void>
}

const SHOWN_MS = 8_000
const SHOWN_MAX = 4
const state = $state<{ toasts: Toast[] }>({ toasts: [] })
let next = 1

export function toasts(): readonly Toast[] {
  return state.toasts
}

export function dismiss(id: number): void {
  state.toasts = state.toasts.filter((toast) => toast.id !== id)
}

/** Say what was done; with *undo* it can be taken back while the message is shown. */
export function done(text: string, undo?: () => void | Promise<void>): void {
  show({ kind: 'done', text, ...(undo === undefined ? {} : { undo }) })
}

/** Say what did not work. What is no refusal of the server is a fault of ours and goes on to the console. */
export function failed(error: unknown): void {
  if (!(error instanceof Problem)) throw error
  if (error.status !== 401) show({ kind: 'problem', text: errorText(error) })
}

function show(toast: Omit<Toast, 'id'>): void {
  const id = next++
  state.toasts = [...state.toasts.slice(1 - SHOWN_MAX), { ...toast, id }]
  setTimeout(() => dismiss(id), SHOWN_MS)
}
