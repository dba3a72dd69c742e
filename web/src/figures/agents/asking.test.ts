import { expect, test } from 'vitest'
import { askingOf, FIRST_COLUMNS, isPlain, NO_ASKING, openedSearch, queryOf, searchOf, type AgentsAsking } from './asking'

const ASKING: AgentsAsking = {
  range: 'own',
  first: '2026-11-01',
  last: '2026-11-02',
  step: '15min',
  by: 'team',
  only: ['team:front', 'agent:a1001'],
  columns: ['AHT', 'state.ready_ms'],
  sort: '-AHT',
}

test('what is asked for survives the address', () => {
  for (const asking of [ASKING, NO_ASKING]) expect(askingOf(searchOf(asking))).toEqual(asking)
  expect(searchOf(NO_ASKING).toString()).toBe('tab=agents')
})

test('what an address does not know is passed over', () => {
  const asking = askingOf(new URLSearchParams('tab=agents&range=ever&by=queue&step=year&first=soon'))
  expect(asking).toEqual(NO_ASKING)
})

test('a number has its row in its address', () => {
  const search = openedSearch(ASKING, { figure: 'AHT', against: '', start: 's', end: 'e', key: '' })
  expect([search.get('figure'), search.get('start'), search.get('end'), search.get('key')]).toEqual(['AHT', 's', 'e', ''])
  expect(openedSearch(ASKING, { figure: 'AHT', against: '', start: '', end: '', key: null }).has('key')).toBe(false)
})

test('the server is asked for local days', () => {
  expect(queryOf(ASKING, '2026-11-25')).toEqual({
    first: '2026-11-01',
    last: '2026-11-02',
    step: '15min',
    by: 'team',
    only: ['team:front', 'agent:a1001'],
  })
})

test('columns and order are no narrowing', () => {
  expect(isPlain({ ...NO_ASKING, columns: ['AHT'], sort: 'AHT' })).toBe(true)
  expect(isPlain({ ...NO_ASKING, only: ['team:front'] })).toBe(false)
  expect(FIRST_COLUMNS.length).toBeGreaterThan(5)
})
