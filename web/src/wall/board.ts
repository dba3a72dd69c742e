// What the boards are made of: the topic's values as the server has them, levels with hysteresis, trends, order, and tables as CSV. Pure.
import type { Schemas } from '@/api/client'

export type Figures = Schemas['Figures']

export type QueueRow = Schemas['QueueRow']
export type AgentRow = Schemas['AgentRow']

// ---------------------------------------------------------------- levels

export type Level = 'good' | 'watch' | 'bad'

/** Beyond `watch` it is watched, beyond `bad` it is bad; `rising`: more is worse. */
export interface Bounds {
  readonly watch: number
  readonly bad: number
  readonly rising: boolean
  /** By how much a value must come back before a level is left again: a number at the edge must not flicker. */
  readonly margin: number
}

/** The level of *value* when the last one was *before*; null without a value. */
export function levelOf(value: number | null | undefined, bounds: Bounds, before: Level | null): Level | null {
  if (value === null || value === undefined) return null
  const worse = (limit: number, eased: number) =>
    bounds.rising ? value > limit - eased : value < limit + eased
  const stays = (level: Level) => (before === level ? bounds.margin : 0)
  if (worse(bounds.bad, stays('bad'))) return 'bad'
  return worse(bounds.watch, before === 'bad' ? bounds.margin : stays('watch')) ? 'watch' : 'good'
}

/** Remembers the last level of each figure. */
export class Levels {
  private readonly last = new Map<string, Level | null>()

  of(key: string, value: number | null | undefined, bounds: Bounds): Level | null {
    const level = levelOf(value, bounds, this.last.get(key) ?? null)
    this.last.set(key, level)
    return level
  }
}

export const SIGN_OF: Readonly<Record<Level, string>> = { good: '✓', watch: '◆', bad: '▲' }

export function serviceLevelBounds(target: number): Bounds {
  return { watch: target, bad: target - 0.1, rising: false, margin: 0.01 }
}

export function waitBounds(threshold_s: number): Bounds {
  return { watch: threshold_s, bad: 3 * threshold_s, rising: true, margin: threshold_s / 10 }
}

// ---------------------------------------------------------------- trends

export type Trend = 'up' | 'down' | 'flat'
export const ARROW: Readonly<Record<Trend, string>> = { up: '▲', down: '▼', flat: '▶' }

export function trendOf(now: number | null, then: number | null, least: number): Trend | null {
  if (now === null || then === null) return null
  if (Math.abs(now - then) < least) return 'flat'
  return now > then ? 'up' : 'down'
}

/** A figure's last values, one every 15 s at most, for as long as the trend looks back. */
export class History {
  private readonly samples: { at_ms: number; value: number | null }[] = []

  constructor(
    private readonly back_ms = 300_000,
    private readonly every_ms = 15_000,
  ) {}

  note(at_ms: number, value: number | null): void {
    const last = this.samples.at(-1)
    if (last !== undefined && at_ms - last.at_ms < this.every_ms) return
    this.samples.push({ at_ms, value })
    while (this.samples.length > this.back_ms / this.every_ms + 1) this.samples.shift()
  }

  /** What it was that long ago; null when nobody looked then. */
  then(now_ms: number): number | null {
    const first = this.samples[0]
    return first !== undefined && now_ms - first.at_ms >= this.back_ms - this.every_ms ? first.value : null
  }
}

/** How much of a count a quarter of an hour brings today, on average; null in the first quarter. */
export function meanQuarter(count: number | null, day_start_ms: number, now_ms: number): number | null {
  const quarters = (now_ms - day_start_ms) / 900_000
  return count === null || quarters < 1 ? null : count / quarters
}

// ---------------------------------------------------------------- agents

/** Where the log shows a call. */
export function callPath(interaction_id: string): string {
  return `/calls?call=${encodeURIComponent(interaction_id)}`
}

export type SortBy = 'name' | 'state' | 'since' | 'team'

export interface AgentFilter {
  readonly text: string
  readonly team_id: string
  readonly state: string
  readonly queue_id: string
}

export function fits(agent: AgentRow, filter: AgentFilter): boolean {
  const text = filter.text.trim().toLowerCase()
  return (
    (filter.team_id === '' || agent.team_id === filter.team_id) &&
    (filter.state === '' || agent.state === filter.state) &&
    (filter.queue_id === '' || agent.queue_ids.includes(filter.queue_id)) &&
    (text === '' || `${agent.display_name} ${agent.agent_id}`.toLowerCase().includes(text))
  )
}

const names = new Intl.Collator(undefined, { numeric: true })

/** The ids in order; equals fall back on the name and then on the id, so that no two orders are possible. */
export function sorted(agents: readonly AgentRow[], by: SortBy, states: readonly string[]): string[] {
  const first = (one: AgentRow, other: AgentRow): number => {
    switch (by) {
      case 'state':
        return states.indexOf(one.state) - states.indexOf(other.state) || one.since_ms - other.since_ms
      case 'since':
        return one.since_ms - other.since_ms
      case 'team':
        return names.compare(one.team_name ?? '￿', other.team_name ?? '￿')
      case 'name':
        return 0
    }
  }
  return [...agents]
    .sort(
      (one, other) =>
        first(one, other) ||
        names.compare(one.display_name, other.display_name) ||
        (one.agent_id < other.agent_id ? -1 : 1),
    )
    .map((agent) => agent.agent_id)
}

/** *shown* with its order kept: who is not wanted any more goes, who is new comes last. */
export function held(shown: readonly string[], wanted: readonly string[]): string[] {
  const left = new Set(wanted)
  const kept = shown.filter((id) => left.delete(id))
  return [...kept, ...left]
}

// ---------------------------------------------------------------- tables

/** A table as CSV. What a spreadsheet would take for a formula is made text. */
export function csv(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  const cell = (value: string | number | null | undefined): string => {
    if (value === null || value === undefined) return ''
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return rows.map((row) => row.map(cell).join(',') + '\r\n').join('')
}

/** Offer *text* as a file. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
