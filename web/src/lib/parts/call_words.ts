// Words for what calls leave behind: how they ended, and what was promised on them.
import { c } from '../i18n/index.svelte'
import { common } from '../i18n/common'

function known(key: string, id: string): string {
  return key in common.en ? c(key as keyof typeof common.en) : id
}

/** The word of an outcome, none for none; one that no catalogue knows is shown as it is. */
export function outcomeWord(outcome: string | null | undefined): string {
  return outcome ? known(`outcome.${outcome}`, outcome) : ''
}

/** The word of a promise's kind; a kind of the centre's own is shown as it is. */
export function promiseWord(kind: string): string {
  return known(`promise.${kind}`, kind)
}
