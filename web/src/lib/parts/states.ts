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

const SYSTEM = ['signed_in', 'ring_no_answer', 'rejected', 'device_lost', 'recovered'] as const
const USUAL = ['break', 'lunch', 'meeting', 'training'] as const

/** The word of a not-ready reason: the house's for those the engine sets, else the centre's own, else the house's
 * for the usual ones, so that a centre without names of its own reads well in every language. */
export function reasonWord(reason: string, name = ''): string {
  const system = SYSTEM.find((each) => each === reason)
  if (system !== undefined) return c(`reason.${system}`)
  if (name !== '') return name
  const usual = USUAL.find((each) => each === reason)
  return usual !== undefined ? c(`reason.${usual}`) : reason
}
