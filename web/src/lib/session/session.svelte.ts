// Who is signed in here, and how they want the pages: language and appearance, kept with the account.
import { api, answer, signIn, type Schemas } from '../api/client'
import { isLanguage, language, setLanguage, type Language } from '../i18n/index.svelte'

export type Session = Schemas['Session']
export type Theme = 'system' | 'light' | 'dark'
export type Role = Session['role']

const KEPT = 'holdless.theme'
const state = $state<{ session: Session | undefined; theme: Theme }>({ session: undefined, theme: 'system' })

/** Put language and appearance in force before anything is painted; then ask who is signed in. */
export function settle(): void {
  setLanguage(language())
  const kept = localStorage.getItem(KEPT)
  setTheme(kept === 'light' || kept === 'dark' ? kept : 'system')
}

/** The person who is signed in; the sign-in page opens when nobody is. */
export async function signedIn(): Promise<Session> {
  const session = await answer(api.GET('/api/v1/session'))
  state.session = session
  if (session.language !== null && isLanguage(session.language)) setLanguage(session.language)
  if (session.theme === 'light' || session.theme === 'dark' || session.theme === 'system') setTheme(session.theme)
  return session
}

export function session(): Session | undefined {
  return state.session
}

export function theme(): Theme {
  return state.theme
}

export function setTheme(wanted: Theme): void {
  state.theme = wanted
  localStorage.setItem(KEPT, wanted)
  if (wanted === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = wanted
}

/** Keep the choice with the account, so that it is there on the next machine too. */
export async function keepChoice(choice: { language?: Language; theme?: Theme }): Promise<void> {
  if (choice.language !== undefined) setLanguage(choice.language)
  if (choice.theme !== undefined) setTheme(choice.theme)
  if (state.session !== undefined) await answer(api.PATCH('/api/v1/session', { body: choice }))
}

export async function signOut(): Promise<void> {
  await answer(api.DELETE('/api/v1/session'))
  location.assign('/sign-in')
}

export { signIn }
