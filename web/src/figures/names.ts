// What the keys of a table are called now.
import type { Schemas } from '@/api/client'
import type { By } from './asking'
import { t, word } from './words'

export type Choices = Schemas['ChoicesShown']

/** The name of a key; the key itself where it has none any more, a word where there is none. */
export function keyName(choices: Choices, by: By, key: string): string {
  if (key === '') return t('key.none')
  if (by === 'customer_group') return word('kind', key)
  return choices.names[by]?.[key] || key
}
