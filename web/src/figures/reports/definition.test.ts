import { expect, test } from 'vitest'
import { NO_ASKING, RANGES, type Asking } from '../asking'
import { askingOf, definitionOf, differs } from './definition'

const TODAY = '2026-11-25'

test.each(RANGES)('what is asked for by %s comes back from a report', (range) => {
  const asking: Asking = { ...NO_ASKING, range, days: 14, by: 'agent', only: ['team:'], columns: ['AHT'], sort: '-AHT' }
  const definition = definitionOf(asking, TODAY)
  const back = askingOf(definition, 'r', 3)
  expect(definitionOf(back, TODAY)).toEqual(definition)
  expect([back.report, back.version]).toEqual(['r', 3])
  expect(differs(asking, definition, TODAY)).toBe(false)
  expect(differs({ ...asking, report: 'other', version: 9 }, definition, TODAY)).toBe(false)
  expect(differs({ ...asking, columns: ['AHT', 'ASA'] }, definition, TODAY)).toBe(true)
})

test('days of one’s own that are half filled in are kept whole', () => {
  const definition = definitionOf({ ...NO_ASKING, range: 'own', first: '2026-11-01' }, TODAY)
  expect([definition.first, definition.last]).toEqual(['2026-11-01', TODAY])
})

test('days of a range that is not asked for make no difference', () => {
  expect(differs({ ...NO_ASKING, first: '2026-01-01', days: 3 }, definitionOf(NO_ASKING, TODAY), TODAY)).toBe(false)
})
