// What the keys of a table of agents are called now.
import type { Schemas } from '@/api/client'
import { keyName } from '../names'
import { reasonName } from '../shown'
import { t } from '../words'
import type { AgentsBy } from './asking'

/** The name of a key; the key itself where it has none any more, a word where there is none. */
export function agentKeyName(choices: Schemas['ChoicesShown'], by: AgentsBy, key: string): string {
  if (by !== 'not_ready_reason') return keyName(choices, by, key)
  return key === '' ? t('key.not_not_ready') : reasonName(key)
}
