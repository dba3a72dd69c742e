import { words } from '@/i18n/index.svelte'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)

/** The word of a formula's term; a term that no catalogue knows is shown as it is. */
export function termWord(term: string): string {
  const key = `term.${term}`
  return key in en ? t(key as keyof typeof en) : term
}
