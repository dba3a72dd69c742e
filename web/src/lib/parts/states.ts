// The agent's states as every face shows them: a sign, a colour and a word, never colour alone.
import { c } from '../i18n/index.svelte'

export type AgentState =
  | 'signed_out'
  | 'ready'
  | 'reserved'
  | 'ringing'
  | 'talking'
  | 'holding'
  | 're_attach'
  | 'wrap_up'
  | 'busy_elsewhere'
  | 'not_ready'

export const STATES: readonly AgentState[] = [
  'ready',
  'reserved',
  'ringing',
  'talking',
  'holding',
  're_attach',
  'wrap_up',
  'busy_elsewhere',
  'not_ready',
  'signed_out',
]

export const SIGN: Readonly<Record<AgentState, string>> = {
  signed_out: '○',
  ready: '✓',
  reserved: '◌',
  ringing: '☎',
  talking: '●',
  holding: '‖',
  re_attach: '↻',
  wrap_up: '✎',
  busy_elsewhere: '◐',
  not_ready: '❚❚',
}

/** The class of base.css's colours for a state. */
export function stateClass(state: string): string {
  const same: Record<string, string> = { reserved: 'ringing', busy_elsewhere: 'talking', re_attach: 'holding' }
  return `state-${(same[state] ?? state).replace('_', '-')}`
}

export function stateWord(state: string): string {
  return state in SIGN ? c(`state.${state as AgentState}`) : state
}

/** The word of a not-ready reason: the centre's own, else the house's for those the engine sets. */
export function reasonWord(reason: string, names: Readonly<Record<string, string>> = {}): string {
  if (reason === 'signed_in' || reason === 'ring_no_answer' || reason === 'device_lost') return c(`reason.${reason}`)
  return names[reason] || reason
}
