import { expect, test } from 'vitest'
import type { Figures } from './board'
import { answerText, handleTimeText, serviceLevelText, type Formulas } from './figures'

const FORMULAS: Formulas = {
  'SL-C': {
    over: ['answered_within_count'],
    under: ['answered_count', 'abandoned_count'],
    less: ['short_abandoned_count'],
  },
  ASA: { over: ['wait_answered_ms'], under: ['answered_count'], less: [] },
  AHT: { over: ['talk_ms', 'hold_ms', 'wrap_up_ms'], under: ['handled_count'], less: [] },
}
const FIGURES: Figures = {
  offered_count: 20,
  answered_count: 15,
  answered_within_count: 12,
  abandoned_count: 4,
  short_abandoned_count: 3,
  service_level: 0.75,
  service_level_formula: 'SL-C',
  asa_s: 9,
  wait_max_s: 61,
  handled_count: 15,
  aht_s: 180,
  talk_s: 120,
  hold_s: 20,
  wrap_up_s: 40,
  grade: 'back_filled',
}

test('a figure says the formula of the server’s table, its numbers and how complete they are', () => {
  expect(serviceLevelText(FORMULAS, FIGURES, 20)).toBe(
    'SL-C = answered in time 12 ÷ (answered 15 + abandoned 4 − short abandons 3) = 75.0%; in time is within 20 s' +
      ' · data: Back-filled from the telephone system’s log',
  )
  expect(answerText(FORMULAS, FIGURES)).toContain('ASA = waits of the answered ÷ answered 15 = 0:09')
  expect(handleTimeText(FORMULAS, FIGURES)).toContain('AHT = (talk + hold + wrap-up) ÷ handled 15 = 3:00')
})

test('without calls it is blank, and without the table the sign alone stands', () => {
  const none = { ...FIGURES, service_level: null, asa_s: null, aht_s: null }
  expect(serviceLevelText(FORMULAS, none)).toContain('= no calls')
  expect(answerText(FORMULAS, none)).toBe('')
  expect(serviceLevelText(undefined, FIGURES)).toMatch(/^SL-C = 75.0% · data/)
  expect(serviceLevelText(FORMULAS, undefined)).toBe('')
})
