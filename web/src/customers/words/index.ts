import { words } from '@/i18n/index.svelte'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)

/** The sentence of a word that the server sent; the word itself when no catalogue has it. */
export function said(group: string, word: string | null | undefined): string {
  const key = `${group}.${word ?? ''}`
  return key in en ? t(key as keyof typeof en) : (word ?? '')
}
