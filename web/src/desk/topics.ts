// The values of the topic `agent:<id>`, by key. Moments in epoch milliseconds by the server's clock.

export interface Me {
  agent_id: string
  display_name: string
  state: string
  reason: string
  since_ms: number
  presence_wish: string | null
  phone: { kind: PhoneKind; address: string; reachable: boolean; registered_since_ms?: number | null }
  wrap_up: {
    interaction_id: string
    until_ms: number | null
    extendable: boolean
    mode: string
    code: string | null
  } | null
}

export type PhoneKind = 'browser' | 'desk' | 'external'

export interface Call {
  interaction_id: string
  attempt: number
  phase: 'offered' | 'ringing' | 'talking' | 'held' | 're_attach' | 'wrap_up'
  queue_id: string | null
  queue_name: string
  entry_point: string
  entry_name: string
  caller_number: string
  caller_name: string
  queued_at_ms: number | null
  offered_at_ms: number | null
  answered_at_ms: number | null
  held_since_ms: number | null
}

export interface Contact {
  interaction_id: string
  started_ms: number
  medium: string
  direction: string
  queue_id: string | null
  outcome: string | null
  agent_id: string | null
  wrap_up_code: string | null
  note_preview?: string | null
}

export interface Note {
  note_id: string
  text: string
  author: string
  at_ms: number
}

export interface PartyCard {
  party_id: string
  kind: string
  display_name: string
  language: string
  external_ref: string
  label: string
  custom: Record<string, unknown>
  numbers: string[]
  last_contacts: Contact[]
  notes: Note[]
  promises: { promise_id: string; kind: string; due_ms: number | null; state: string }[]
}

export interface Pop {
  pop_id: number
  interaction_id: string
  made_ms: number
  acked_ms: number | null
  number: string
  number_kind: string
  outcome: 'match' | 'several' | 'unknown' | 'withheld' | 'late'
  method: string
  confidence: number
  party: PartyCard | null
  candidates: PartyCard[]
  queue_id: string | null
}

export interface MyQueue {
  queue_id: string
  display_name: string
  waiting_count: number
  oldest_since_ms: number | null
}

export interface Day {
  handled_count: number
  talk_s: number
  hold_s: number
  wrap_up_s: number
  ready_s: number
  not_ready_s: number
  rona_count: number
  signed_in_since_ms: number | null
}

export interface Draft {
  code: string | null
  reason_id: string | null
  note: string
  changed_ms: number
}
