import { expect, test } from 'vitest'
import { momentIn, periodName, todayIn } from './period'

test('the day is the zone’s', () => {
  const now = new Date('2026-03-01T20:00:00Z')
  expect(todayIn('Asia/Taipei', now)).toBe('2026-03-02')
  expect(todayIn('America/New_York', now)).toBe('2026-03-01')
})

test('a period is called by its step', () => {
  const name = (start: string, end: string, step: Parameters<typeof periodName>[2]) =>
    periodName(start, end, step, 'Asia/Taipei', 'en')
  expect(name('2026-03-01T16:00:00Z', '2026-03-02T16:00:00Z', 'day')).toBe('Mon, Mar 2, 2026')
  expect(name('2026-03-01T16:00:00Z', '2026-03-08T16:00:00Z', 'week')).toBe('Mar 2, 2026 – Mar 8, 2026')
  expect(name('2026-03-01T16:00:00Z', '2026-03-02T16:00:00Z', 'range')).toBe('Mar 2, 2026')
  expect(name('2026-03-02T01:30:00Z', '2026-03-02T02:00:00Z', '30min')).toBe('Mar 2, 2026, 09:30 – 10:00')
})

test('the hour that the clock shows twice says which it is', () => {
  const name = (start: string, end: string) => periodName(start, end, 'hour', 'Europe/Berlin', 'en')
  expect(name('2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z')).toContain('GMT+2')
  expect(name('2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z')).toContain('GMT+1')
  expect(name('2026-10-25T03:00:00Z', '2026-10-25T04:00:00Z')).not.toContain('GMT')
})

test('a moment has seconds', () => {
  expect(momentIn('2026-03-02T01:30:05Z', 'Asia/Taipei', 'en')).toContain('09:30:05')
})
