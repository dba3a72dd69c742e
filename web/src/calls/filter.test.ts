import { describe, expect, it } from 'vitest'
import { chosenCount, filterOf, NO_FILTER, queryOf, searchOf } from './filter'

const NOON = new Date(2026, 10, 24, 12)

describe('a filter in the address', () => {
  it('comes back as it was written', () => {
    const address = 'range=own&since=2026-11-01&until=2026-11-08&queue_id=sales&number=0911+000&wait_min=20'
    const filter = filterOf(new URLSearchParams(address))
    expect(filterOf(searchOf(filter))).toEqual(filter)
    expect(filter.words).toEqual({ queue_id: 'sales', number: '0911 000' })
    expect(chosenCount(filter)).toBe(3)
  })

  it('is none when nothing is chosen, and passes over what it does not know', () => {
    expect(filterOf(new URLSearchParams('range=never&wait_min=-3&talk_max=x&since=tomorrow'))).toEqual(NO_FILTER)
    expect(searchOf(NO_FILTER).size).toBe(0)
  })
})

describe('the query to the server', () => {
  it('counts days from the reader’s midnight', () => {
    const at = (day: number) => new Date(2026, 10, day).toISOString()
    expect(queryOf({ ...NO_FILTER, range: 'today' }, NOON)).toEqual({ since: at(24) })
    expect(queryOf({ ...NO_FILTER, range: 'yesterday' }, NOON)).toEqual({ since: at(23), until: at(24) })
    expect(queryOf(NO_FILTER, NOON)).toEqual({ since: at(18) })
    expect(queryOf({ ...NO_FILTER, range: 'all' }, NOON)).toEqual({})
  })

  it('gives lengths in milliseconds', () => {
    expect(queryOf({ ...NO_FILTER, range: 'all', lengths: { wait_min: '1.5' } }, NOON)).toEqual({ wait_min_ms: 1500 })
  })
})
