// Every catalogue has every sentence with the same places, in every face.
import { describe, expect, it } from 'vitest'
import { clock, filled, languageName } from './index.svelte'
import type { Sentence } from './index.svelte'

const found = import.meta.glob(['../i18n/common.ts', '../../*/words/index.ts'], { eager: true }) as Record<
  string,
  Record<string, unknown>
>
const places = (sentence: Sentence): string[] =>
  [...(typeof sentence === 'string' ? sentence : sentence.other).matchAll(/\{(\w+)\}/g)]
    .map((match) => match[1] ?? '')
    .sort()

describe.each(Object.entries(found))('the catalogue %s', (_path, module) => {
  const catalogues = Object.values(module).find((value) => typeof value === 'object' && value !== null && 'en' in value)

  it('says the same in both languages', () => {
    expect(catalogues, 'a words/index.ts exports its catalogues beside t').toBeDefined()
    const { en, 'zh-Hant': other } = catalogues as Record<string, Record<string, Sentence>>
    expect(Object.keys(other ?? {}).sort()).toEqual(Object.keys(en ?? {}).sort())
    for (const [key, sentence] of Object.entries(en ?? {})) {
      const translated = other?.[key]
      expect(translated, key).toBeTruthy()
      expect(places(translated ?? ''), key).toEqual(places(sentence))
    }
  })
})

it('fills places, takes plurals, and shows a place that nobody filled', () => {
  expect(filled('{a} of {b}', { a: 'x', b: 1234 }, 'en')).toBe('x of 1,234')
  expect(filled({ one: '{count} call', other: '{count} calls' }, { count: 1 }, 'en')).toBe('1 call')
  expect(filled({ one: '{count} call', other: '{count} calls' }, { count: 0 }, 'en')).toBe('0 calls')
  expect(filled('{a}', {}, 'en')).toBe('{a}')
  expect(filled('From {a}, queue', { a: '\u202egnp' }, 'en'), 'no name turns the sentence around').toBe('From gnp, queue')
})

it('names a language, and bears what is none', () => {
  expect(languageName('zh_TW')).toBe('Chinese (Taiwan)')
  expect(languageName('<b>')).toBe('<b>')
})

it('tells a length as people read it', () => {
  expect([clock(0), clock(65.9), clock(3600), clock(null)]).toEqual(['0:00', '1:05', '1:00:00', ''])
})
