// What a page knows of the agent's phone. Behind it stands the browser phone (JsSIP, loaded only when it is the
// chosen device) or nothing: a desk phone and an external number are worked by hand and told by the PBX alone.

/** Whether the phone can be rung. */
export type PhoneLink = 'off' | 'connecting' | 'registered' | 'failed'

/** What keeps the phone from working, as an id of the catalogue (`phone.<id>`). */
export type PhoneProblem =
  | 'microphone_denied'
  | 'no_microphone'
  | 'microphone_busy'
  | 'registration_refused'
  | 'server_away'
  | 'used_elsewhere'
  | 'call_failed'

export interface PhoneCall {
  readonly phase: 'ringing' | 'answering' | 'talking' | 'held'
  readonly muted: boolean
  /** When the phase began on this device, epoch milliseconds. */
  readonly since_ms: number
  /** The call came back after a reload and was answered by itself. */
  readonly re_attached: boolean
}

export interface PhoneState {
  readonly link: PhoneLink
  readonly problem: PhoneProblem | null
  readonly call: PhoneCall | null
}

/** A phone in this page. Its state is the device's own; what the call is, the PBX tells over the socket. */
export interface Phone {
  readonly state: PhoneState
  /** Called after every change of `state`. */
  onchange: (state: PhoneState) => void
  /** Connect and register; comes back by itself when the server was away. */
  start(): Promise<void>
  /** Ask for the microphone before a call needs it. */
  prepare(): Promise<void>
  answer(): Promise<void>
  /** End the call on this device (decline it while it rings). */
  hangUp(): void
  hold(): Promise<void>
  unhold(): Promise<void>
  mute(on: boolean): void
  dtmf(digits: string): void
  /** Energy of what is sent and heard now, root mean square in [0, 1]; null without a call. */
  levels(): { sent: number; heard: number } | null
  /** Unregister and let go of everything. Never ends a call: that would drop the caller on a reload. */
  stop(): Promise<void>
}
