// The desk's one model: what the socket tells (`agent:<id>`), the phone in this page, and what can be asked of
// the server. Components read it and call its verbs; only the server changes what it shows.
import { answer, api, requestKey, type Schemas } from '@/api/client'
import type { Phone, PhoneState } from '@/phone/phone'
import type { LiveSocket, Topic } from '@/socket/socket.svelte'
import type { DocumentOf } from '@/socket/topics'
import type { Call, Day, Draft, Me, MyQueue, Pop, PhoneKind, Presence } from './topics'

const OFF: PhoneState = { link: 'off', problem: null, call: null }
const PHASES_LIVE: readonly Call['phase'][] = ['talking', 'held']

export class DeskModel {
  readonly topic: Topic<DocumentOf<`agent:${string}`>>
  /** Who of the colleagues is there. */
  readonly presence: Topic<DocumentOf<'presence:all'>>
  /** Names and codes of the centre; undefined until they are read. */
  centre = $state<Schemas['DeskCentre'] | undefined>()
  phone = $state.raw<Phone | undefined>()
  device = $state.raw<PhoneState>(OFF)

  constructor(
    readonly agent_id: string,
    readonly socket: LiveSocket,
  ) {
    this.topic = socket.follow(`agent:${agent_id}` as const).topic
    this.presence = socket.follow('presence:all').topic
  }

  get me(): Me | undefined {
    return this.topic.get('me')
  }

  get call(): Call | undefined {
    return this.topic.get('call')
  }

  /** Whether a colleague is there; undefined until it is known. */
  presenceOf(agent_id: string): Presence | undefined {
    return this.presence.get(`agent/${agent_id}`)?.presence
  }

  get day(): Day | undefined {
    return this.topic.get('day')
  }

  get queues(): MyQueue[] {
    return this.topic.all('queue/')
  }

  /** The newest pop of the call, or of its wrap-up. */
  get pop(): Pop | undefined {
    const wanted = this.call?.interaction_id ?? this.me?.wrap_up?.interaction_id
    return this.topic.all('pop/').findLast((pop) => pop.interaction_id === wanted)
  }

  /** Who calls, as far as the evidence goes: a number that nobody vouches for makes somebody probable, not certain. */
  get caller(): { name: string; isProbable: boolean } | undefined {
    const pop = this.pop
    if (!pop?.party?.display_name) return undefined
    return { name: pop.party.display_name, isProbable: pop.method !== 'agent' && pop.attestation !== 'passed' }
  }

  /** What the agent is working on: the call, or the one being wrapped up. */
  get work_id(): string | undefined {
    return this.call?.interaction_id ?? this.me?.wrap_up?.interaction_id ?? undefined
  }

  get draft(): Draft | undefined {
    return this.work_id === undefined ? undefined : this.topic.get(`draft/${this.work_id}`)
  }

  get isTalking(): boolean {
    return this.call !== undefined && PHASES_LIVE.includes(this.call.phase)
  }

  get isRinging(): boolean {
    return this.call?.phase === 'offered' || this.call?.phase === 'ringing'
  }

  get phoneKind(): PhoneKind {
    return this.me?.phone.kind ?? 'desk'
  }

  /** The names of not-ready reasons, by id. */
  get reasons(): Record<string, string> {
    return Object.fromEntries((this.centre?.not_ready_reasons ?? []).map((each) => [each.reason, each.display_name]))
  }

  async readCentre(): Promise<void> {
    this.centre = await answer(api.GET('/api/v1/centre/desk'))
  }

  // ---------------------------------------------------------------- my state

  async setState(body: Schemas['SignedIn'] | Schemas['SignedOut'] | Schemas['Ready'] | Schemas['NotReady']): Promise<void> {
    await answer(
      api.POST('/api/v1/agents/{agent_id}/state', { params: { path: { agent_id: this.agent_id } }, body }),
    )
  }

  /** Ready when not ready, not ready with the first reason when ready (the key Alt+R). */
  async toggleReady(): Promise<void> {
    const state = this.me?.state ?? 'signed_out'
    if (state === 'signed_out') return this.setState({ state: 'signed_in' })
    if (state === 'not_ready') return this.setState({ state: 'ready' })
    const first = this.centre?.not_ready_reasons[0]?.reason
    if (first !== undefined) await this.setState({ state: 'not_ready', reason: first })
  }

  // ---------------------------------------------------------------- the call

  async transfer(to: { to_queue_id?: string; to_agent_id?: string }): Promise<void> {
    const interaction_id = this.call?.interaction_id
    if (interaction_id === undefined) return
    await answer(
      api.POST('/api/v1/calls/{interaction_id}/transfer', {
        params: { path: { interaction_id }, header: { 'idempotency-key': requestKey() } },
        body: to,
      }),
    )
  }

  /** End the call: on this page's phone when it has it, else through the server. */
  async hangUp(): Promise<void> {
    if (this.device.call !== null && this.phone !== undefined) return this.phone.hangUp()
    const interaction_id = this.call?.interaction_id
    if (interaction_id === undefined) return
    await answer(api.POST('/api/v1/calls/{interaction_id}/hangup', { params: { path: { interaction_id } } }))
  }

  async hold(on: boolean): Promise<void> {
    await (on ? this.phone?.hold() : this.phone?.unhold())
  }

  // ---------------------------------------------------------------- who it is

  async linkParty(party_id: string | null, remember_number: boolean): Promise<void> {
    const interaction_id = this.work_id
    if (interaction_id === undefined) return
    await answer(
      api.PUT('/api/v1/calls/{interaction_id}/party', {
        params: { path: { interaction_id } },
        body: { party_id, remember_number },
      }),
    )
  }

  // ---------------------------------------------------------------- wrap-up

  async keepDraft(interaction_id: string, draft: Omit<Draft, 'changed_ms'>): Promise<void> {
    await answer(
      api.PUT('/api/v1/agents/{agent_id}/drafts/{interaction_id}', {
        params: { path: { agent_id: this.agent_id, interaction_id } },
        body: draft,
      }),
    )
  }

  async wrapUp(interaction_id: string, draft: Omit<Draft, 'changed_ms'>, finish: boolean): Promise<void> {
    await answer(
      api.POST('/api/v1/agents/{agent_id}/wrap-ups/{interaction_id}', {
        params: { path: { agent_id: this.agent_id, interaction_id } },
        body: { ...draft, finish },
      }),
    )
  }

  async extendWrapUp(extend_s: number): Promise<void> {
    await answer(
      api.POST('/api/v1/agents/{agent_id}/wrap-up', {
        params: { path: { agent_id: this.agent_id } },
        body: { action: 'extend', extend_s },
      }),
    )
  }

  // ---------------------------------------------------------------- the phone in this page

  /** Let *phone* be the one in this page; the one before is let go. */
  async usePhone(phone: Phone | undefined): Promise<void> {
    const before = this.phone
    this.phone = phone
    this.device = phone?.state ?? OFF
    await before?.stop()
    if (phone === undefined) return
    phone.onchange = (state) => {
      if (this.phone === phone) this.device = state
    }
    await phone.start()
  }
}
