// Moments and periods as the centre's clocks show them. Pure.
import type { Step } from './asking'

type Form = Intl.DateTimeFormatOptions
const DAY: Form = { year: 'numeric', month: 'short', day: 'numeric' }
const WEEKDAY: Form = { ...DAY, weekday: 'short' }
const TIME: Form = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
const formats = new Map<string, Intl.DateTimeFormat>()

function shown(at: Date, form: Form, zone: string, language: string): string {
  const key = `${language} ${zone} ${Object.keys(form).join()}`
  let format = formats.get(key)
  if (format === undefined) formats.set(key, (format = new Intl.DateTimeFormat(language, { ...form, timeZone: zone })))
  return format.format(at)
}

/** The day that it is in a zone, as `2026-11-25`. */
export function todayIn(zone: string, now: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(now)
}

/** A moment to the second. */
export function momentIn(at: string, zone: string, language: string): string {
  return shown(new Date(at), { ...DAY, ...TIME, second: '2-digit' }, zone, language)
}

/** What a half-open period is called; an hour that the clock shows twice says its offset. */
export function periodName(start: string, end: string, step: Step, zone: string, language: string): string {
  const [from, until] = [new Date(start), new Date(end)]
  const say = (at: Date, form: Form) => shown(at, form, zone, language)
  const last = new Date(until.getTime() - 1)
  if (step === 'day') return say(from, WEEKDAY)
  if (step === 'month' || step === 'week' || step === 'range') {
    const [first, lastDay] = [say(from, DAY), say(last, DAY)]
    return first === lastDay ? first : `${first} – ${lastDay}`
  }
  const clock = say(from, TIME)
  const hour = 3_600_000
  const twice = [-hour, hour].some((away) => {
    const other = new Date(from.getTime() + away)
    return say(other, TIME) === clock && say(other, DAY) === say(from, DAY)
  })
  const offset: Form = twice ? { ...TIME, timeZoneName: 'shortOffset' } : TIME
  return `${say(from, DAY)}, ${say(from, offset)} – ${say(until, TIME)}`
}
