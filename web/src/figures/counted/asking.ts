// Which contacts per person, or transfers by pair, are asked for: kept in the address. Pure.
import { DIMENSIONS, RANGES, STEPS, daysOf as daysOfRange, type By, type Opened, type Range, type Step } from '../asking'

export type Kind = 'persons' | 'transfers'
export type CountedRange = Exclude<Range, 'days'>
export const COUNTED_RANGES = RANGES.filter((range) => range !== 'days')
export const WITHIN_DAYS = 7
export const WITHIN_DAYS_MAX = 90
export const COLUMNS = {
  persons: ['contact_count', 'repeat_count', 'REPEAT', 'over_count', 'resolved_count', 'FCR', 'open_count', 'nobody_count'],
  transfers: ['blind_count', 'attended_count', 'cancelled_count', 'handled_count', 'TRANSFER-PAIR'],
} as const satisfies Record<Kind, readonly string[]>
const FROM = ['queue', 'agent'] as const satisfies readonly By[]

/** What the rows can be told apart by. */
export function partsOf(kind: Kind): readonly By[] {
  return kind === 'transfers' ? FROM : DIMENSIONS
}

export interface CountedAsking {
  kind: Kind
  range: CountedRange
  first: string // local days of the range 'own', both included
  last: string
  step: Step
  by: By
  within_days: number // of persons: how far apart two contacts belong together
  /** A column, `-` before it for the largest first; empty: by time. */
  sort: string
}

/** Read what is asked for from an address; what it does not know is passed over. */
export function askingOf(kind: Kind, search: URLSearchParams): CountedAsking {
  const one = <Id extends string>(name: string, known: readonly Id[], otherwise: Id): Id => {
    const found = search.get(name) as Id
    return known.includes(found) ? found : otherwise
  }
  const day = (name: string) => (/^\d{4}-\d{2}-\d{2}$/.test(search.get(name) ?? '') ? search.get(name)! : '')
  const within = Number(search.get('within') ?? WITHIN_DAYS)
  return {
    kind,
    range: one('range', COUNTED_RANGES, 'month'),
    first: day('first'),
    last: day('last'),
    step: one('step', STEPS, 'range'),
    by: one('by', partsOf(kind), 'queue'),
    within_days: Number.isInteger(within) && within >= 1 && within <= WITHIN_DAYS_MAX ? within : WITHIN_DAYS,
    sort: search.get('sort') ?? '',
  }
}

/** Write it as an address's query, without what is as it is at first. */
export function searchOf(asking: CountedAsking): URLSearchParams {
  const search = new URLSearchParams({ tab: asking.kind })
  const plain = askingOf(asking.kind, new URLSearchParams())
  for (const name of ['range', 'step', 'by', 'sort'] as const)
    if (asking[name] !== plain[name]) search.set(name, asking[name])
  if (asking.range === 'own')
    for (const name of ['first', 'last'] as const) if (asking[name]) search.set(name, asking[name])
  if (asking.within_days !== WITHIN_DAYS) search.set('within', String(asking.within_days))
  return search
}

/** The address that opens a number of a table. */
export function openedSearch(asking: CountedAsking, opened: Opened): URLSearchParams {
  const search = searchOf(asking)
  search.set('figure', opened.figure)
  for (const name of ['start', 'end'] as const) if (opened[name]) search.set(name, opened[name])
  if (opened.key !== null) search.set('key', opened.key)
  return search
}

/** The days asked for, both included, when it is *today* in the centre. */
export function daysOf(asking: CountedAsking, today: string): { first: string; last: string } {
  return daysOfRange({ ...asking, days: 1 }, today)
}

/** The server's query. */
export function queryOf(asking: CountedAsking, today: string) {
  const { step, by, kind, within_days } = asking
  return { ...daysOf(asking, today), step, by, ...(kind === 'persons' ? { within_days } : {}) }
}

/** What a key is called: of a pair both sides, `sales>agent:a1001`. */
export function pairName(by: By, key: string, names: Readonly<Record<string, string>>, words: { none: string; outside: string }): string {
  const at = key.indexOf('>')
  const side = (id: string) => {
    if (id === 'outside') return words.outside
    const bare = id.slice(id.indexOf(':') + 1)
    return bare === '' ? words.none : names[id] || bare
  }
  return `${side(`${by}:${key.slice(0, at)}`)} → ${side(key.slice(at + 1))}`
}
