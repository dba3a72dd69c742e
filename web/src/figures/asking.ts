// Which figures are asked for: kept in the address, so that a table can be sent to somebody. Pure.
import type { Schemas } from '@/api/client'

export type By = Schemas['FiguresBy']
export type Step = Schemas['PeriodStep']
export type View = Schemas['FiguresView']
export const RANGES = [
  'today',
  'yesterday',
  'this_week',
  'last_week',
  'week',
  'month',
  'quarter',
  'this_month',
  'last_month',
  'days',
  'own',
] as const
export const DAYS_MAX = 1_000
export type Range = (typeof RANGES)[number]
export const STEPS = ['range', 'month', 'week', 'day', 'hour', '30min', '15min'] as const satisfies readonly Step[]
export const DIMENSIONS = [
  'nothing',
  'queue',
  'entry_point',
  'agent',
  'team',
  'team_now',
  'site',
  'employer',
  'reason',
  'customer_group',
  'wrap_up_code',
] as const satisfies readonly By[]
export const VIEWS = ['event', 'cohort'] as const satisfies readonly View[]

/** The columns of a table where nobody chose others: terms and formula ids. */
export const FIRST_COLUMNS = [
  'offered_count',
  'answered_count',
  'abandoned_count',
  'SL-C',
  'AB',
  'ASA',
  'WAIT_P90',
  'AHT',
  'RONA',
] as const

export interface Asking {
  range: Range
  days: number // of the range 'days', today among them
  first: string // local days of the range 'own', both included
  last: string
  step: Step
  by: By
  view: View
  /** `queue:sales`: of these alone. */
  only: readonly string[]
  columns: readonly string[]
  /** A column, `-` before it for the largest first; empty: by time. */
  sort: string
  /** The report that is open, and its version where it is not the newest (0). */
  report: string
  version: number
}

/** The number whose calls are shown. */
export interface Opened {
  figure: string
  against: string
  /** ISO moments of the row's period; both empty: the whole range. */
  start: string
  end: string
  /** Null: of all keys. */
  key: string | null
}

export const NO_ASKING: Asking = {
  range: 'week',
  days: 14,
  first: '',
  last: '',
  step: 'range',
  by: 'queue',
  view: 'event',
  only: [],
  columns: FIRST_COLUMNS,
  sort: '',
  report: '',
  version: 0,
}

/** Read what is asked for from an address; what it does not know is passed over. */
export function askingOf(search: URLSearchParams): Asking {
  const one = <Id extends string>(name: string, known: readonly Id[], otherwise: Id): Id => {
    const found = search.get(name) as Id
    return known.includes(found) ? found : otherwise
  }
  const day = (name: string) => (/^\d{4}-\d{2}-\d{2}$/.test(search.get(name) ?? '') ? search.get(name)! : '')
  const days = Number(search.get('days') ?? NO_ASKING.days)
  const columns = (search.get('columns') ?? '').split(',').filter(Boolean)
  return {
    range: one('range', RANGES, NO_ASKING.range),
    days: Number.isInteger(days) && days >= 1 && days <= DAYS_MAX ? days : NO_ASKING.days,
    first: day('first'),
    last: day('last'),
    step: one('step', STEPS, NO_ASKING.step),
    by: one('by', DIMENSIONS, NO_ASKING.by),
    view: one('view', VIEWS, NO_ASKING.view),
    only: search.getAll('only'),
    columns: columns.length > 0 ? columns : FIRST_COLUMNS,
    sort: search.get('sort') ?? '',
    report: search.get('report') ?? '',
    version: Math.max(0, Math.trunc(Number(search.get('version') ?? 0)) || 0),
  }
}

/** Write it as an address's query, without what is as it is at first. */
export function searchOf(asking: Asking): URLSearchParams {
  const search = new URLSearchParams()
  for (const name of ['report', 'range', 'step', 'by', 'view', 'sort'] as const)
    if (asking[name] !== NO_ASKING[name]) search.set(name, asking[name])
  if (asking.version) search.set('version', String(asking.version))
  if (asking.range === 'days') search.set('days', String(asking.days))
  if (asking.range === 'own')
    for (const name of ['first', 'last'] as const) if (asking[name]) search.set(name, asking[name])
  for (const each of asking.only) search.append('only', each)
  const columns = asking.columns.join(',')
  if (columns !== FIRST_COLUMNS.join(',')) search.set('columns', columns)
  return search
}

/** The number that an address opens, or null. */
export function openedOf(search: URLSearchParams): Opened | null {
  const figure = search.get('figure')
  if (!figure) return null
  return {
    figure,
    against: search.get('against') ?? '',
    start: search.get('start') ?? '',
    end: search.get('end') ?? '',
    key: search.get('key'),
  }
}

/** The address that opens a number of a table. */
export function openedSearch(asking: Asking, opened: Opened): URLSearchParams {
  const search = searchOf(asking)
  search.set('figure', opened.figure)
  for (const name of ['against', 'start', 'end'] as const) if (opened[name]) search.set(name, opened[name])
  if (opened.key !== null) search.set('key', opened.key)
  return search
}

/** The days asked for, both included, when it is *today* in the centre. */
export function daysOf(asking: Pick<Asking, 'range' | 'days' | 'first' | 'last'>, today: string): { first: string; last: string } {
  const back = (days: number) => shifted(today, -days)
  const month = `${today.slice(0, 7)}-01`
  const sinceMonday = (new Date(`${today}T00:00Z`).getUTCDay() + 6) % 7
  switch (asking.range) {
    case 'today':
      return { first: today, last: today }
    case 'yesterday':
      return { first: back(1), last: back(1) }
    case 'this_week':
      return { first: back(sinceMonday), last: today }
    case 'last_week':
      return { first: back(sinceMonday + 7), last: back(sinceMonday + 1) }
    case 'days':
      return { first: back(asking.days - 1), last: today }
    case 'week':
      return { first: back(6), last: today }
    case 'month':
      return { first: back(29), last: today }
    case 'quarter':
      return { first: back(89), last: today }
    case 'this_month':
      return { first: month, last: today }
    case 'last_month': {
      const last = shifted(month, -1)
      return { first: `${last.slice(0, 7)}-01`, last }
    }
    case 'own': {
      const first = asking.first || asking.last || today
      return { first, last: asking.last || (first > today ? first : today) }
    }
  }
}

/** The server's query. */
export function queryOf(asking: Asking, today: string) {
  const { step, by, view, only } = asking
  return { ...daysOf(asking, today), step, by, view, only: [...only] }
}

function shifted(day: string, days: number): string {
  const at = new Date(`${day}T00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}
