// Sentences live in catalogues; the server sends ids and parameters. English is one catalogue among others
// and, because the types come from it, the one that says which sentences exist.
import { common } from './common'

export const LANGUAGES = { en: 'English', 'zh-Hant': '繁體中文' } as const
export type Language = keyof typeof LANGUAGES
/** A sentence with `{name}` places; one with a count may have a form for one and a form for others. */
export type Sentence = string | { readonly one: string; readonly other: string }
export type Catalogue = Readonly<Record<string, Sentence>>
export type Params = Readonly<Record<string, string | number | null | undefined>>
/** Gives the sentence of a key in the language now in force; inside a template it follows a change. */
export type Words<Key extends string> = (key: Key, params?: Params) => string

const KEPT = 'holdless.language'
const state = $state<{ language: Language }>({ language: first() })

function first(): Language {
  const wished = [globalThis.localStorage?.getItem(KEPT) ?? '', ...(globalThis.navigator?.languages ?? [])]
  for (const each of wished) {
    if (each in LANGUAGES) return each as Language
    if (/^zh\b/i.test(each)) return 'zh-Hant'
    if (/^en\b/i.test(each)) return 'en'
  }
  return 'en'
}

/** The language in force. */
export function language(): Language {
  return state.language
}

/** Put a language in force, on this device and in the document. */
export function setLanguage(wanted: Language): void {
  state.language = wanted
  globalThis.localStorage?.setItem(KEPT, wanted)
  if (globalThis.document) document.documentElement.lang = wanted
}

export function isLanguage(text: string): text is Language {
  return text in LANGUAGES
}

// Marks that turn the direction of what follows: in a name, they would turn the rest of the sentence.
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g

/** Fill a sentence's places. A place without a value stays visible, so that a test and a person see it. */
export function filled(sentence: Sentence, params: Params, wanted: Language): string {
  const chosen =
    typeof sentence === 'string'
      ? sentence
      : new Intl.PluralRules(wanted).select(Number(params['count'] ?? 0)) === 'one'
        ? sentence.one
        : sentence.other
  return chosen.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = params[name]
    if (value === null || value === undefined) return place
    return typeof value === 'number' ? new Intl.NumberFormat(wanted).format(value) : value.replace(DIRECTION, '')
  })
}

/** Make the words of one face: its own catalogues, each with the same keys. */
export function words<Base extends Catalogue>(
  catalogues: { readonly en: Base } & Readonly<Record<Language, Readonly<Record<keyof Base, Sentence>>>>,
): Words<keyof Base & string> {
  return (key, params = {}) => filled(catalogues[state.language][key], params, state.language)
}

/** The words that all faces share. */
export const c = words(common)

/** The sentence of an error, by its `error_id`; one that no catalogue knows is told by its id. */
export function errorText(problem: { error_id: string; params?: Record<string, unknown> }): string {
  const key = `error.${problem.error_id}`
  const params = Object.fromEntries(
    Object.entries(problem.params ?? {}).filter(([, value]) => ['string', 'number'].includes(typeof value)),
  ) as Params
  return key in common.en
    ? c(key as keyof typeof common.en, params)
    : c('error.unknown', { error_id: problem.error_id })
}

// ---------------------------------------------------------------- figures and moments

// Making a format costs a hundred times what using it does, and boards show thousands of numbers a second.
const formats = new Map<string, Intl.NumberFormat>()

function format(style: 'decimal' | 'percent', digits: number): Intl.NumberFormat {
  const key = `${state.language} ${style} ${digits}`
  let found = formats.get(key)
  if (found === undefined) {
    const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits }
    found = new Intl.NumberFormat(state.language, { style, ...fraction })
    formats.set(key, found)
  }
  return found
}

export function number(value: number, digits = 0): string {
  return format('decimal', digits).format(value)
}

/** A share in [0, 1] as per cent; nothing for null: no calls is blank, never 0 or 100. */
export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined) return ''
  return format('percent', digits).format(share)
}

/** A length in seconds as m:ss, or h:mm:ss from an hour on. */
export function clock(length_s: number | null | undefined): string {
  if (length_s === null || length_s === undefined || !Number.isFinite(length_s)) return ''
  const whole = Math.max(0, Math.floor(length_s))
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

const FORMS = {
  moment: { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' },
  second: { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' },
  day: { dateStyle: 'medium' },
  time: { timeStyle: 'short', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

/** A moment (epoch milliseconds or ISO text) in the reader's zone; by 24 hours, as the centre's log and shifts are. */
export function moment(at: number | string | null | undefined, form: keyof typeof FORMS = 'moment'): string {
  if (at === null || at === undefined || at === '') return ''
  return new Intl.DateTimeFormat(state.language, FORMS[form]).format(new Date(at))
}

/** The name of a person's language (`zh_TW`); what is no language is shown as it is. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(state.language, { type: 'language' }).of(tag.replaceAll('_', '-')) ?? tag
  } catch {
    return tag // a customer's record may say anything
  }
}
