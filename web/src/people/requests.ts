// What this page asks of the server.
import { answer, api, type Schemas } from '@/api/client'

export type Account = Schemas['Account']
export type Role = Account['role']
export type Choices = Schemas['AccountChoices']
export type Change = Schemas['AccountChange']
export type Link = Schemas['AccountLink']
export interface Filter {
  readonly q: string
  readonly role: Role | ''
  readonly state: 'enabled' | 'disabled' | ''
}

export const ROLES: readonly Role[] = ['agent', 'supervisor', 'planner', 'administrator']

const at = (account_id: string) => ({ params: { path: { account_id } } })

export const list = ({ q, role, state }: Filter, cursor: string | null) =>
  answer(
    api.GET('/api/v1/accounts', {
      params: {
        query: {
          q,
          ...(role === '' ? {} : { role }),
          ...(state === '' ? {} : { is_disabled: state === 'disabled' }),
          ...(cursor === null ? {} : { cursor }),
        },
      },
    }),
  )
export const choices = () => answer(api.GET('/api/v1/accounts/choices'))
export const add = (body: Schemas['AccountBody']) => answer(api.POST('/api/v1/accounts', { body }))
export const change = (id: string, body: Change) =>
  answer(api.PATCH('/api/v1/accounts/{account_id}', { ...at(id), body }))
export const newLink = (id: string) => answer(api.POST('/api/v1/accounts/{account_id}/link', at(id)))
export const signOutEverywhere = (id: string) => answer(api.DELETE('/api/v1/accounts/{account_id}/sessions', at(id)))

/** The change that makes an account again what it is now. */
export function wayBack(account: Account): Change {
  const { display_name, role, agent_id, team_ids, language, is_disabled } = account
  return { display_name, role, agent_id, team_ids, language: language as Change['language'] ?? null, is_disabled }
}
