// Which figures of agents are asked for: kept in the address, so that a table can be sent to somebody. Pure.
import type { Schemas } from '@/api/client'
import { daysOf as daysOfRange, RANGES, STEPS, type Opened, type Range, type Step } from '../asking'

export type AgentsBy = Schemas['AgentsBy']
export const DIMENSIONS = [
  'agent',
  'team',
  'team_now',
  'site',
  'employer',
  'not_ready_reason',
  'nothing',
] as const satisfies readonly AgentsBy[]

export type AgentsRange = Exclude<Range, 'days'>
export const AGENTS_RANGES = RANGES.filter((range) => range !== 'days')

/** The columns of a table where nobody chose others: terms and formula ids. */
export const FIRST_COLUMNS = [
  'SIGNED_IN',
  'TIME_READY',
  'TIME_TALK',
  'TIME_HOLD',
  'TIME_WRAP_UP',
  'TIME_NOT_READY',
  'OCCUPANCY',
  'UTILISATION',
  'handled_count',
  'AHT',
  'RONA',
  'CALLS_PER_HOUR',
] as const

export interface AgentsAsking {
  range: AgentsRange
  first: string // local days of the range 'own', both included
  last: string
  step: Step
  by: AgentsBy
  /** `team:front`: of these alone. */
  only: readonly string[]
  columns: readonly string[]
  /** A column, `-` before it for the largest first; empty: by time. */
  sort: string
}

export const NO_ASKING: AgentsAsking = {
  range: 'week',
  first: '',
  last: '',
  step: 'range',
  by: 'agent',
  only: [],
  columns: FIRST_COLUMNS,
  sort: '',
}

/** Read what is asked for from an address; what it does not know is passed over. */
export function askingOf(search: URLSearchParams): AgentsAsking {
  const one = <Id extends string>(name: string, known: readonly Id[], otherwise: Id): Id => {
    const found = search.get(name) as Id
    return known.includes(found) ? found : otherwise
  }
  const day = (name: string) => (/^\d{4}-\d{2}-\d{2}$/.test(search.get(name) ?? '') ? search.get(name)! : '')
  const columns = (search.get('columns') ?? '').split(',').filter(Boolean)
  return {
    range: one('range', AGENTS_RANGES, NO_ASKING.range),
    first: day('first'),
    last: day('last'),
    step: one('step', STEPS, NO_ASKING.step),
    by: one('by', DIMENSIONS, NO_ASKING.by),
    only: search.getAll('only'),
    columns: columns.length > 0 ? columns : FIRST_COLUMNS,
    sort: search.get('sort') ?? '',
  }
}

/** Write it as an address's query, without what is as it is at first. */
export function searchOf(asking: AgentsAsking): URLSearchParams {
  const search = new URLSearchParams({ tab: 'agents' })
  for (const name of ['range', 'step', 'by', 'sort'] as const)
    if (asking[name] !== NO_ASKING[name]) search.set(name, asking[name])
  if (asking.range === 'own')
    for (const name of ['first', 'last'] as const) if (asking[name]) search.set(name, asking[name])
  for (const each of asking.only) search.append('only', each)
  const columns = asking.columns.join(',')
  if (columns !== FIRST_COLUMNS.join(',')) search.set('columns', columns)
  return search
}

/** Whether nothing else is asked for than at first; columns and order aside. */
export function isPlain(asking: AgentsAsking): boolean {
  return searchOf({ ...asking, columns: FIRST_COLUMNS, sort: '' }).size === 1
}

/** The address that opens a number of a table. */
export function openedSearch(asking: AgentsAsking, opened: Opened): URLSearchParams {
  const search = searchOf(asking)
  search.set('figure', opened.figure)
  for (const name of ['start', 'end'] as const) if (opened[name]) search.set(name, opened[name])
  if (opened.key !== null) search.set('key', opened.key)
  return search
}

/** The days asked for, both included, when it is *today* in the centre. */
export function daysOf(asking: AgentsAsking, today: string): { first: string; last: string } {
  return daysOfRange({ ...asking, days: 1 }, today)
}

/** The server's query. */
export function queryOf(asking: AgentsAsking, today: string) {
  const { step, by, only } = asking
  return { ...daysOf(asking, today), step, by, only: [...only] }
}
