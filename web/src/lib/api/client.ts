// The server asked over HTTP. Types come from its own schema (made at build); a refusal is a Problem with a
// stable error_id, and the catalogue makes the sentence.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

/** A refusal, or no answer at all (status 0, error_id `network`). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly error_id: string,
    readonly params: Record<string, unknown> = {},
    readonly detail = '',
  ) {
    super(error_id)
  }
}

/** Typed requests: `await answer(api.GET('/api/v1/calls', { params: { query } }))`. */
export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  credentials: 'same-origin',
  headers: { 'X-Holdless': '1' },
})

/**
 * Wait for an answer and return its body.
 * @throws Problem when it is refused or none comes. Nobody signed in: the sign-in page opens, then this one again.
 */
export async function answer<Data>(
  asked: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<NonNullable<Data>> {
  let got: { data?: Data; error?: unknown; response: Response }
  try {
    got = await asked
  } catch {
    throw new Problem(0, 'network')
  }
  if (got.response.ok) return got.data as NonNullable<Data>
  const problem = problemOf(got.response.status, got.error)
  if (problem.status === 401) signIn()
  throw problem
}

/** The problem of a body that may be one (for requests made with `fetch` itself). */
export function problemOf(status: number, body: unknown): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Partial<Schemas['Problem']>
  return new Problem(status, told.error_id ?? 'internal_error', told.params ?? {}, told.detail ?? '')
}

/** Open the sign-in page, which comes back here. */
export function signIn(): void {
  if (location.pathname === '/sign-in') return
  const here = location.pathname + location.search + location.hash
  location.assign(`/sign-in?next=${encodeURIComponent(here)}`)
}

/** A key under which a repeated request changes nothing twice. */
export function requestKey(): string {
  return crypto.randomUUID()
}
