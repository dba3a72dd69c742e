// Which calls are asked for: kept in the address, so that a view can be sent to somebody. Pure.
export const RANGES = ['today', 'yesterday', 'week', 'month', 'quarter', 'all', 'own'] as const
export type Range = (typeof RANGES)[number]

/** What can be chosen beside the time; each is the name of the server's parameter. */
export const WORDS = [
  'queue_id',
  'agent_id',
  'team_id',
  'outcome',
  'direction',
  'entry_point',
  'number',
  'text',
  'wrap_up_code',
  'party_id',
  'unreached',
] as const
/** Lengths, in seconds in the form and the address, in milliseconds for the server. */
export const LENGTHS = ['wait_min', 'wait_max', 'talk_min', 'talk_max'] as const

export type Word = (typeof WORDS)[number]
export type Length = (typeof LENGTHS)[number]
export interface Filter {
  range: Range
  since: string // local dates of the range 'own', as a date field gives them
  until: string
  words: Partial<Record<Word, string>>
  lengths: Partial<Record<Length, string>>
}

export const NO_FILTER: Filter = { range: 'week', since: '', until: '', words: {}, lengths: {} }
const DAYS: Readonly<Partial<Record<Range, number>>> = { week: 7, month: 30, quarter: 90 }

/** Read a filter from an address; what it does not know is passed over. */
export function filterOf(search: URLSearchParams): Filter {
  const range = search.get('range') as Range
  const filled = <Key extends string>(keys: readonly Key[], fits: (value: string) => boolean) =>
    Object.fromEntries(
      keys.map((key) => [key, search.get(key) ?? '']).filter(([, value]) => value !== '' && fits(value as string)),
    ) as Partial<Record<Key, string>>
  return {
    range: RANGES.includes(range) ? range : NO_FILTER.range,
    since: isDay(search.get('since')),
    until: isDay(search.get('until')),
    words: filled(WORDS, () => true),
    lengths: filled(LENGTHS, (value) => Number.isFinite(Number(value)) && Number(value) >= 0),
  }
}

/** Write a filter as an address's query, without what is not chosen. */
export function searchOf(filter: Filter): URLSearchParams {
  const search = new URLSearchParams()
  if (filter.range !== NO_FILTER.range) search.set('range', filter.range)
  if (filter.range === 'own') {
    if (filter.since) search.set('since', filter.since)
    if (filter.until) search.set('until', filter.until)
  }
  for (const key of WORDS) if (filter.words[key]) search.set(key, filter.words[key])
  for (const key of LENGTHS) if (filter.lengths[key]) search.set(key, filter.lengths[key])
  return search
}

/** How many filters beside the time are in force. */
export function chosenCount(filter: Filter): number {
  return searchOf({ ...filter, range: NO_FILTER.range }).size
}

/** The server's query: moments in UTC, lengths in milliseconds. *now* is the reader's clock. */
export function queryOf(filter: Filter, now: Date): Record<string, string | number> {
  const query: Record<string, string | number> = {}
  const midnight = (back: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - back).toISOString()
  const days = DAYS[filter.range]
  if (days !== undefined) query['since'] = midnight(days - 1)
  if (filter.range === 'today') query['since'] = midnight(0)
  if (filter.range === 'yesterday') [query['since'], query['until']] = [midnight(1), midnight(0)]
  if (filter.range === 'own') {
    if (filter.since) query['since'] = new Date(`${filter.since}T00:00`).toISOString()
    if (filter.until) query['until'] = new Date(`${filter.until}T00:00`).toISOString()
  }
  for (const key of WORDS) if (filter.words[key]) query[key] = filter.words[key]
  for (const key of LENGTHS) if (filter.lengths[key]) query[`${key}_ms`] = Math.round(Number(filter.lengths[key]) * 1000)
  return query
}

function isDay(text: string | null): string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : ''
}
