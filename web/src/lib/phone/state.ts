// The phone's state as a pure machine: what happened goes in, the next state comes out. It knows no JsSIP, no
// clock and no page. Law: one call at a time, and a call's phase is what the device does, not what was clicked.
import type { PhoneCall, PhoneProblem, PhoneState } from './phone'

export type PhoneEvent =
  | { readonly type: 'connecting' }
  | { readonly type: 'registered' }
  | { readonly type: 'link_lost'; readonly problem: PhoneProblem }
  | { readonly type: 'gave_up'; readonly problem: PhoneProblem }
  | { readonly type: 'stopped' }
  | { readonly type: 'rings'; readonly re_attached: boolean }
  | { readonly type: 'answers' }
  | { readonly type: 'talks' }
  | { readonly type: 'holds' }
  | { readonly type: 'mutes'; readonly on: boolean }
  | { readonly type: 'ended'; readonly problem?: PhoneProblem }
  | { readonly type: 'microphone'; readonly problem: PhoneProblem | null }

export const OFF: PhoneState = { link: 'off', problem: null, call: null }

const MICROPHONE: readonly PhoneProblem[] = ['microphone_denied', 'no_microphone', 'microphone_busy']

/** The state after *event*; the same object when nothing changes. `at_ms` is the device's clock. */
export function next(state: PhoneState, event: PhoneEvent, at_ms: number): PhoneState {
  switch (event.type) {
    case 'connecting':
      return { ...state, link: 'connecting', problem: kept(state.problem) }
    case 'registered':
      return { ...state, link: 'registered', problem: kept(state.problem) }
    case 'link_lost':
      return { ...state, link: 'connecting', problem: event.problem }
    case 'gave_up':
      return { link: 'failed', problem: event.problem, call: null }
    case 'stopped':
      return OFF
    case 'rings': {
      const call: PhoneCall = { phase: 'ringing', muted: false, since_ms: at_ms, re_attached: event.re_attached }
      return { ...state, problem: kept(state.problem), call }
    }
    case 'answers':
      return inCall(state, 'answering', at_ms)
    case 'talks':
      return inCall(state, 'talking', at_ms)
    case 'holds':
      return inCall(state, 'held', at_ms)
    case 'mutes':
      if (state.call === null || state.call.muted === event.on) return state
      return { ...state, call: { ...state.call, muted: event.on } }
    case 'ended':
      if (state.call === null && event.problem === undefined) return state
      return { ...state, problem: event.problem ?? state.problem, call: null }
    case 'microphone':
      if (event.problem === null && !isMicrophone(state.problem)) return state
      return { ...state, problem: event.problem }
  }
}

function inCall(state: PhoneState, phase: PhoneCall['phase'], at_ms: number): PhoneState {
  if (state.call === null || state.call.phase === phase) return state
  const problem = phase === 'talking' && isMicrophone(state.problem) ? null : state.problem
  return { ...state, problem, call: { ...state.call, phase, since_ms: at_ms } }
}

/** A better link cures what the link had; only the microphone cures the microphone. */
function kept(problem: PhoneProblem | null): PhoneProblem | null {
  return isMicrophone(problem) ? problem : null
}

function isMicrophone(problem: PhoneProblem | null): boolean {
  return problem !== null && MICROPHONE.includes(problem)
}

/** What keeps the microphone from us, from the error of `getUserMedia`. */
export function microphoneProblem(error: unknown): PhoneProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'no_microphone'
  if (name === 'NotReadableError' || name === 'AbortError') return 'microphone_busy'
  return 'microphone_denied'
}
