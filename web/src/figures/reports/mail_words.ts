// What schedules and sendings are called.
import type { Schemas } from '@/api/client'
import { language } from '@/i18n/index.svelte'
import { t, word } from '../words'

const A_MONDAY = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

/** The name of a weekday; 1 is Monday. */
export function weekdayName(weekday: number): string {
  const at = new Date(A_MONDAY + (weekday - 1) * DAY_MS)
  return new Intl.DateTimeFormat(language(), { weekday: 'long', timeZone: 'UTC' }).format(at)
}

/** How often, and on which day. */
export function dayText(schedule: Schemas['Schedule']): string {
  const every = t(`mail.every.${schedule.every ?? 'day'}`)
  if (schedule.every === 'week') return `${every}, ${weekdayName(schedule.weekday ?? 1)}`
  if (schedule.every === 'month') return `${every}, ${schedule.month_day}.`
  return every
}

/** Why a mail did not leave: the word of its id, and what stands behind it (a code, or addresses). */
export function reasonText(reason: string): string {
  const [id = '', ...rest] = reason.split(' ')
  return [word('reason', id), ...rest].join(' ')
}
