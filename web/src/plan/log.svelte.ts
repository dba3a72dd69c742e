// What the call log offers: which queues and reasons, the history of the one that is picked, its patience.
import { answer, api, Problem, type Schemas } from '@/api/client'

export type PartyKind = NonNullable<Schemas['QueueSource']['party_kind']>
export type Source = Schemas['QueueSource'] | Schemas['ReasonSource']

export const PERIODS_DAYS = [28, 56, 90, 182, 365, 730] as const

export class LogModel {
  sources = $state.raw<Schemas['LogSources'] | undefined>(undefined)
  /** `queue:sales` or `reason:refund`; empty: nothing is picked. */
  pick = $state('')
  party_kind = $state<PartyKind | ''>('')
  days = $state<number>(90)
  interval_min = $state<15 | 30 | 60>(30)
  history = $state.raw<Schemas['HistoryShown'] | undefined>(undefined)
  patience = $state.raw<Schemas['PatienceShown'] | undefined>(undefined)
  reading = $state(false)
  problem = $state.raw<Problem | undefined>(undefined)
  #asked = 0

  queue = $derived(this.sources?.queues.find((each) => this.pick === `queue:${each.queue_id}`))
  zone = $derived(this.queue?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  name = $derived(this.nameOf(this.source))

  get source(): Source | undefined {
    const [kind, id] = this.pick.split(':')
    const who = this.party_kind ? { party_kind: this.party_kind } : {}
    if (!id) return undefined
    return kind === 'queue' ? { kind: 'queue', queue_id: id, ...who } : { kind: 'reason', reason_id: id, ...who }
  }

  nameOf(source: Source | undefined): string {
    if (!source) return ''
    const found =
      source.kind === 'queue'
        ? this.sources?.queues.find((each) => each.queue_id === source.queue_id)
        : this.sources?.reasons.find((each) => each.reason_id === source.reason_id)
    return found?.display_name ?? (source.kind === 'queue' ? source.queue_id : source.reason_id)
  }

  /** Read what there is; the busiest queue is picked when nothing is. */
  async readSources(): Promise<void> {
    this.sources = await answer(api.GET('/api/v1/plan/sources', { params: { query: { days: this.days } } }))
    const busiest = this.sources.queues.find((each) => each.visit_count > 0)
    if (!this.pick && busiest) this.pick = `queue:${busiest.queue_id}`
  }

  /** Read history and patience of what is picked; an answer that is overtaken is dropped. */
  async read(): Promise<void> {
    const mine = ++this.#asked
    const source = this.source
    this.history = this.patience = this.problem = undefined
    if (!source) return
    this.reading = true
    const { days, interval_min, zone } = this
    const { kind: _kind, ...named } = source
    const query = { ...named, days, interval_min, zone }
    try {
      const history = await answer(api.GET('/api/v1/plan/history', { params: { query } }))
      const patience = source.kind === 'queue' ? await patienceOf(source.queue_id, days) : undefined
      if (mine !== this.#asked) return
      this.history = history
      this.patience = patience
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (mine === this.#asked) this.problem = error
    } finally {
      if (mine === this.#asked) this.reading = false
    }
  }
}

/** A queue's patience as far as the log knows it; undefined where nobody gave up. */
export async function patienceOf(queue_id: string, days: number): Promise<Schemas['PatienceShown'] | undefined> {
  try {
    return await answer(api.GET('/api/v1/plan/patience', { params: { query: { queue_id, days } } }))
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return undefined
    throw error
  }
}
