import { expect, test } from 'vitest'
import { askingOf, daysOf, NO_ASKING, openedOf, openedSearch, queryOf, searchOf, type Asking } from './asking'

const ASKING: Asking = {
  range: 'own',
  days: 14,
  first: '2026-10-01',
  last: '2026-10-31',
  step: 'day',
  by: 'agent',
  view: 'cohort',
  only: ['queue:sales', 'team:'],
  columns: ['SL-A', 'AHT'],
  sort: '-AHT',
  report: 'queue_day',
  version: 2,
}

test('an address says what is asked for, and nothing where it is as at first', () => {
  expect(askingOf(searchOf(ASKING))).toEqual(ASKING)
  expect(searchOf(NO_ASKING).toString()).toBe('')
  expect(askingOf(searchOf({ ...ASKING, range: 'days', days: 5 })).days).toBe(5)
  expect(askingOf(new URLSearchParams('range=never&days=0&version=-1&step=1min&by=moon&view=x&first=12'))).toEqual(NO_ASKING)
})

test('a number that is opened stands beside it', () => {
  const opened = { figure: 'SL-C', against: 'SL-A', start: '2026-10-01T00:00Z', end: '2026-10-02T00:00Z', key: '' }
  const search = openedSearch(ASKING, opened)
  expect(openedOf(search)).toEqual(opened)
  expect(askingOf(search)).toEqual(ASKING)
  expect(openedOf(openedSearch(ASKING, { ...opened, key: null }))?.key).toBeNull()
  expect(openedOf(searchOf(ASKING))).toBeNull()
})

test.each([
  ['today', '2026-03-01', '2026-03-01', '2026-03-01'],
  ['yesterday', '2026-03-01', '2026-02-28', '2026-02-28'],
  ['this_week', '2026-11-25', '2026-11-23', '2026-11-25'],
  ['this_week', '2026-03-01', '2026-02-23', '2026-03-01'],
  ['last_week', '2026-11-25', '2026-11-16', '2026-11-22'],
  ['last_week', '2026-11-23', '2026-11-16', '2026-11-22'],
  ['days', '2026-11-25', '2026-11-12', '2026-11-25'],
  ['week', '2026-03-01', '2026-02-23', '2026-03-01'],
  ['month', '2026-03-01', '2026-01-31', '2026-03-01'],
  ['quarter', '2026-03-01', '2025-12-02', '2026-03-01'],
  ['this_month', '2026-03-09', '2026-03-01', '2026-03-09'],
  ['last_month', '2026-03-09', '2026-02-01', '2026-02-28'],
] as const)('%s of %s is %s to %s', (range, today, first, last) => {
  expect(daysOf({ ...NO_ASKING, range }, today)).toEqual({ first, last })
})

test('days of one’s own may be half filled in', () => {
  const own = { ...NO_ASKING, range: 'own' } as const
  expect(daysOf({ ...own, first: '2026-03-01' }, '2026-03-09')).toEqual({ first: '2026-03-01', last: '2026-03-09' })
  expect(daysOf({ ...own, first: '2026-04-01' }, '2026-03-09')).toEqual({ first: '2026-04-01', last: '2026-04-01' })
  expect(daysOf({ ...own, last: '2026-03-01' }, '2026-03-09')).toEqual({ first: '2026-03-01', last: '2026-03-01' })
  expect(daysOf(own, '2026-03-09')).toEqual({ first: '2026-03-09', last: '2026-03-09' })
})

test('the server is asked for days, not for a word', () => {
  expect(queryOf({ ...NO_ASKING, range: 'yesterday', only: ['queue:a'] }, '2026-03-09')).toEqual({
    first: '2026-03-08',
    last: '2026-03-08',
    step: 'range',
    by: 'queue',
    view: 'event',
    only: ['queue:a'],
  })
})
